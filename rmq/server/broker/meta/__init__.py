"""What a broker knows besides messages: topics, groups, offsets, each a JSON file under `config/`."""
