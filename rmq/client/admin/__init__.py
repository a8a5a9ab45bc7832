"""Administration: operations that take several calls, typed, over any `rmq.remoting.calls.Invoker`.

They run under asyncio and under Twisted alike: what differs between the two comes in with `session.Admin`.
"""
