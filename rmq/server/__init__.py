"""The servers: name server and broker, and the parts they are built from."""
