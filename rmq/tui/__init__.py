"""`rmq tui`: a RocketMQ cluster, Apache's or ours, live in a terminal.

Four layers, each knowing only those below it:

    app, application, screens, widgets      Textual; asks nobody but a service, and waits for nothing
            v
    state, table                            what is remembered, and tables without the painting
            v
    service                                 what can be asked and changed, and the values that come back
            v
    service/live                            the service over `rmq.client.admin` on asyncio, with a limit on requests

Below the first, nothing knows Textual; above the last, nothing knows a network. `config` (what the user has set down),
`decoders` (bodies), `formats` and `times` (values as texts, and back) and `expressions` know none of the four, and all
may use them.

What makes it hold under slow and dead servers:

- **Nothing is awaited by a screen.** A poller is an exclusive worker that asks and posts what came as a typed message.
- **Failures are values.** A service returns a `Problem` where it cannot return figures; only faults of ours are raised.
  What was known stays on the screen, dimmed, with its age and the problem's cause.
- **Late answers are dropped.** Every question has a generation number, and a feed takes nothing older than it has.
- **Requests are bounded.** One list of names, then figures of the rows on screen and of nothing else, so many at a
  time; a server that could not be reached is left alone for a moment instead of being waited for by every row.
- **Painting is bounded.** A table draws the lines that are visible; what comes in is compared with what stands there,
  and only cells that differ are painted. When nothing changes, nothing is painted.

`demo` is the one file that starts servers; only `launch` and `serve`, with which a run begins, import it. Both put the
layers together.
"""
