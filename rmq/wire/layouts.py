"""Formats of the hot codecs. Made by `python -m rmq.wire.derive` from the construct declarations."""

from struct import Struct

FRAME_HEAD = Struct(">lL")
BINARY_HEADER_HEAD = Struct(">hBhlll")
BINARY_FRAME_HEAD = Struct(">lLhBhlll")
BINARY_PLAIN_HEAD = Struct(">lLhBhllll")
LETTER_ENTRY_HEAD = Struct(">hBL")
RECORD_HEAD = Struct(">lLlllqqlq8sq8slql")
RECORD_HEAD_BORN6 = Struct(">lLlllqqlq20sq8slql")
RECORD_HEAD_STORE6 = Struct(">lLlllqqlq8sq20slql")
RECORD_HEAD_BOTH6 = Struct(">lLlllqqlq20sq20slql")
RECORD_HEAD_BEGIN = Struct(">lLlllqq")
BLANK_RECORD = Struct(">lL")
BATCH_ITEM_HEAD = Struct(">lllll")
CONSUME_QUEUE_UNIT = Struct(">qlq")
INDEX_HEADER = Struct(">qqqqll")
INDEX_SLOT = Struct(">l")
INDEX_ENTRY = Struct(">lqll")
CHECKPOINT_HEAD = Struct(">qqqqq")
CHECKPOINT_EXTENSION = Struct(">Q40sqQQqL")
