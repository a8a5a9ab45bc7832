"""Static topics: mappings that are kept, and requests for logical queues made requests for physical ones."""
