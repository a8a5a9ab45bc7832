"""Tables: columns, order, filter, what is painted, copied and exported."""
