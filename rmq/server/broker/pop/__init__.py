"""POP consumption: the broker hands out messages of all queues and remembers which of them came back acknowledged.

A *pop* takes messages from a group's queues and hides them for their invisible time. Its *check point* names them. A
message is done when it is acknowledged; what is not when its invisible time is over goes into the group's POP retry
topic, from which later pops take it. Pull and pop share the group's committed offsets, so a group may change from one
to the other.

What makes this durable is the *revive log*, a topic of the broker with several queues. Check points are stored in it
with the end of their invisible time, less a second, as the time of delivery, acknowledgements with the end itself; so
the queue holds everything about a pop when its time has come, in order, and nothing before. The group of the broker
that reads it commits how far everything is settled. After a crash it reads on from there.

| module | part |
|---|---|
| `hold` | pops that wait |
| `popping` | what a pop takes, and from where |
| `buffer` | check points on their way into the revive log, and the offsets to commit |
| `revivelog` | writes the revive log |
| `revive` | reads it and puts messages back |
| `orders` | ordered pops, which have no check points |
| `modes`, `assigning`, `routes` | whether groups pull or pop, and who gets which queues |
| `inflight` | counts what was popped, to hold a group back |
| `service` | puts the parts together |

Source: PopMessageProcessor, PopBufferMergeService, PopReviveService, QueueLevelConsumerManager.
"""
