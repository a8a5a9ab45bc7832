"""Changes as values: what is to be done, how much harm it can do, and the mqadmin command that does the same.

A screen makes a `Change` and proposes it to the application. The application asks the service for a `Preview`, shows
it, has the user confirm it as its risk and the context's mode demand, has the service carry it out, and shows the
`Outcome`, which tells what was read back from the servers afterwards. Each subject has its changes in a file here, and
what carries them out in the file of the same name in `service/live/changes`.
"""
