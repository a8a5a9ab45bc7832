# cython: language_level=3, cdivision=True, binding=False
"""The store's hottest loops, compiled: `place_batch` of `batch.py`, `Replica._take_record`, the indexer's walk.

The Python modules are the readable truth and work alone; property tests hold both equal, byte for byte. A batch's body
comes from a stranger: it is checked as a whole before anything is made of it. Of a log each record is checked before
it is read, and one that is out of the ordinary is left to Python. No buffer is held beyond a call.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport INT32_MAX, INT64_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy, memset

from zlib import crc32

from rmq.server.store.tags import SCHEDULE_TOPIC
from rmq.wire.message import MAX_PROPERTIES, MessageError, tags_code

ctypedef const uint8_t *Bytes

cdef extern from *:
    """
    #include <stdatomic.h>
    #define in_order() atomic_signal_fence(memory_order_seq_cst)
    #define MAGIC_V1 0xDAA320A7u
    #define MAGIC_V2 0xDAA320ABu
    """
    const uint32_t MAGIC_V1, MAGIC_V2
    const Py_ssize_t PY_SSIZE_T_MAX
    void in_order() noexcept

cdef enum:
    ITEM_HEAD = 20
    LEAST_ITEM = 22
    RECORD_HEAD = 88
    LONGER_HOST = 12
    UNIT = 20
    INDEX_HEADER = 40
    SLOT = 4
    ENTRY = 20
    BORN_HOST_V6 = 0x10
    STORE_HOST_V6 = 0x20
    PREPARED = 0x4
    ROLLBACK = 0xC
    LEAST_RECORD = 91
    BLANK = 8
    MOST_KEYS = 64

cdef int64_t LONGEST_PROPERTIES = MAX_PROPERTIES
cdef bytes DELAYED = SCHEDULE_TOPIC.encode()


# --- numbers and text in bytes

cdef inline uint32_t get16(Bytes at) noexcept:
    return <uint32_t>at[0] << 8 | at[1]


cdef inline uint32_t get32(Bytes at) noexcept:
    return <uint32_t>at[0] << 24 | <uint32_t>at[1] << 16 | <uint32_t>at[2] << 8 | at[3]


cdef inline uint64_t get64(Bytes at) noexcept:
    return <uint64_t>get32(at) << 32 | get32(at + 4)


cdef inline void put32(uint8_t *at, uint32_t value) noexcept:
    at[0] = value >> 24 & 0xFF
    at[1] = value >> 16 & 0xFF
    at[2] = value >> 8 & 0xFF
    at[3] = value & 0xFF


cdef inline void put64(uint8_t *at, uint64_t value) noexcept:
    put32(at, <uint32_t>(value >> 32))
    put32(at + 4, <uint32_t>value)


cdef Bytes value_of(Bytes text, Bytes end, const char *name, Py_ssize_t length, Py_ssize_t *size) noexcept:
    """The value of a property and its size; NULL where it is absent or empty (`find_property`)."""
    cdef Bytes at = text
    cdef Bytes stop
    while at < end:
        at = <Bytes>memchr(at, 1, end - at)
        if at == NULL:
            return NULL
        if at - text >= length and memcmp(at - length, name, length) == 0 and (
            at - text == length or (at - length - 1)[0] == 2
        ):
            at += 1
            stop = <Bytes>memchr(at, 2, end - at) if at < end else NULL
            size[0] = (end if stop == NULL else stop) - at
            return at if size[0] else NULL
        at += 1
    return NULL


cdef bint add_hash(uint32_t *total, Bytes text, Py_ssize_t size) noexcept:
    """Takes ASCII text into a Java hash; False where it is not ASCII."""
    cdef uint32_t value = total[0]
    cdef uint32_t seen = 0
    cdef Bytes end = text + size
    while end - text >= 4:
        value = value * 923521 + text[0] * <uint32_t>29791 + text[1] * <uint32_t>961 + text[2] * <uint32_t>31 + text[3]
        seen |= text[0] | text[1] | text[2] | text[3]
        text += 4
    while text < end:
        value = value * 31 + text[0]
        seen |= text[0]
        text += 1
    total[0] = value
    return seen < 0x80


# --- a batch

def place_records(
    bytes body not None, bytes head not None, bytes name_field not None, int64_t physical, int64_t queue_offset
):
    """The records and units of a batch: the loop of `place_batch`, where the arguments are explained.

    `head` is a record's head in which what differs between records is not yet right.
    """
    cdef Bytes data = <Bytes>PyBytes_AS_STRING(body)
    cdef Py_ssize_t end = len(body), at = 0, head_size = len(head), name_size = len(name_field), fixed, size
    cdef int64_t length, rest, total = 0, count = 0
    cdef int32_t code
    cdef uint32_t hashed, newest = 0
    cdef Py_ssize_t size_of_tag
    cdef Bytes tag
    cdef uint8_t *record
    cdef uint8_t *unit
    if head_size < RECORD_HEAD:
        raise ValueError(f"a record's head of {head_size} bytes")
    fixed = head_size + name_size
    while at < end:
        if end - at < LEAST_ITEM:
            raise MessageError(f"a message of a batch has {end - at} bytes, not even the least {LEAST_ITEM}")
        length = <int32_t>get32(data + at + 16)
        rest = <int64_t><int32_t>get32(data + at) - ITEM_HEAD - length - 2
        # From here on the item is as long as it says, so that its parts lie within it.
        if length < 0 or rest < 0 or ITEM_HEAD + length + 2 + rest > end - at or (
            get16(data + at + ITEM_HEAD + length) != rest
        ):
            size = <int32_t>get32(data + at)
            raise MessageError(f"the parts of a batch's message do not add up to its {size} bytes")
        if rest > LONGEST_PROPERTIES:
            raise MessageError(f"properties of {rest} bytes are longer than {MAX_PROPERTIES}")
        if fixed + length + rest + 2 > INT32_MAX:
            raise OverflowError("a record is longer than its size field can tell")
        at += <Py_ssize_t>(ITEM_HEAD + length + 2 + rest)
        total += fixed + length + rest + 2
        count += 1
    if not count or total > PY_SSIZE_T_MAX or physical > INT64_MAX - total or queue_offset > INT64_MAX - count:
        raise OverflowError(f"{count} records of {total} bytes at {physical} and {queue_offset}")
    records = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>total)
    units = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>(count * UNIT))
    record = <uint8_t *>PyBytes_AS_STRING(records)
    unit = <uint8_t *>PyBytes_AS_STRING(units)
    offsets = []
    tags = set()
    at = 0
    while at < end:
        length = <int32_t>get32(data + at + 16)
        rest = <int64_t>get16(data + at + ITEM_HEAD + length)
        size = <Py_ssize_t>(fixed + length + rest + 2)
        memcpy(record, PyBytes_AS_STRING(head), head_size)
        put32(record, <uint32_t>size)
        message = PyBytes_FromStringAndSize(<char *>data + at + ITEM_HEAD, <Py_ssize_t>length)
        put32(record + 8, <uint32_t>crc32(message) & INT32_MAX)
        memcpy(record + 16, data + at + 12, 4)
        put64(record + 20, <uint64_t>queue_offset)
        put64(record + 28, <uint64_t>physical)
        # An item's last head field is the record's as well: the body's length.
        memcpy(record + head_size - 4, data + at + 16, 4 + length)
        memcpy(record + head_size + length, PyBytes_AS_STRING(name_field), name_size)
        at += <Py_ssize_t>(ITEM_HEAD + length)
        memcpy(record + fixed + length, data + at, 2 + rest)
        size_of_tag = 0
        tag = value_of(data + at + 2, data + at + 2 + rest, b"TAGS", 4, &size_of_tag)
        hashed = 0
        if tag != NULL and not add_hash(&hashed, tag, size_of_tag):
            hashed = <uint32_t><int32_t>tags_code(tag[:size_of_tag].decode("utf-8", "replace"))
        put64(unit, <uint64_t>physical)
        put32(unit + 8, <uint32_t>size)
        put64(unit + 12, <uint64_t><int64_t><int32_t>hashed)
        if hashed != newest or not offsets:
            tags.add(<int32_t>hashed)
            newest = hashed
        offsets.append(physical)
        at += <Py_ssize_t>(2 + rest)
        record += size
        unit += UNIT
        physical += size
        queue_offset += 1
    # The first magic number: `finish` sets it.
    memset(PyBytes_AS_STRING(records) + 4, 0, 4)
    return records, units, offsets, tags


# --- a master's records

cdef struct Record:
    int64_t total, name_at, name_size, queue_offset, timestamp
    bint dispatched


cdef bint ordinary(Bytes record, int64_t left, int64_t physical, Record *found) noexcept:
    """Whether the `left` bytes begin with a whole record of that place, and what is in it."""
    cdef int64_t head = RECORD_HEAD, length
    cdef uint32_t magic
    if left < LEAST_RECORD:
        return False
    found.total = <int32_t>get32(record)
    magic = get32(record + 4)
    head += LONGER_HOST if record[39] & BORN_HOST_V6 else 0
    head += LONGER_HOST if record[39] & STORE_HOST_V6 else 0
    if magic != MAGIC_V1 and magic != MAGIC_V2 or not head + 3 <= found.total <= left:
        return False
    length = <int32_t>get32(record + head - 4)
    found.name_at = head + length + (1 if magic == MAGIC_V1 else 2)
    if length < 0 or found.name_at + 2 > found.total:
        return False
    found.name_size = record[found.name_at - 1] if magic == MAGIC_V1 else get16(record + found.name_at - 2)
    length = found.name_at + found.name_size + 2
    if found.name_size == 0 or length > found.total or length + get16(record + length - 2) != found.total:
        return False
    found.queue_offset = <int64_t>get64(record + 20)
    found.timestamp = <int64_t>get64(record + (68 if record[39] & BORN_HOST_V6 else 56))
    found.dispatched = record[39] & ROLLBACK != PREPARED and record[39] & ROLLBACK != ROLLBACK
    return <int64_t>get64(record + 28) == physical and found.queue_offset >= 0


cdef int32_t tags_of(Bytes text, Bytes end):
    """The tags code of a record's properties."""
    cdef Py_ssize_t size = 0
    cdef uint32_t hashed = 0
    cdef Bytes tag = value_of(text, end, b"TAGS", 4, &size)
    if tag != NULL and not add_hash(&hashed, tag, size):
        return <int32_t>tags_code(tag[:size].decode("utf-8", "replace"))
    return <int32_t>hashed


def take_records(
    bytes data not None, Py_ssize_t at, log, dict names not None, dict topics not None, dict arrived not None
):
    """Puts a master's records into log and queues, those that need nothing made ready: there is space in log and
    queue, both are mapped, the queue is not empty and goes on with the record. The first other one is `Replica`'s.

    So are messages of the delay levels, whose tags code is another matter.

    Args:
        data, at: bytes of a log, and where in them its end stands.
        log: where they go.
        names: topics as records have them, and their names.
        topics: the queues that are open.
        arrived: gets the queues that have new messages, with the tags codes that occur.

    Returns:
        Where it ended, how many records they were, and the greatest store time.
    """
    cdef Bytes record
    cdef Bytes topic = NULL
    cdef Record found
    cdef Py_buffer view
    cdef uint8_t *place
    cdef int64_t topic_size = -1, newest = 0, count = 0, base = log.base, position = log.position
    cdef int64_t stop = min(<int64_t>log.reserved, <int64_t>log.size - BLANK)
    cdef int32_t queue_id, code
    cdef dict queues = None
    cdef QueueEnd queue = QueueEnd()
    if not 0 <= at <= len(data) or not 0 <= base <= INT64_MAX // 2 or not 0 <= position:
        raise ValueError(f"place {at} of {len(data)} bytes, at {position} of the log's file {base}")
    if log.map is None:
        return at, 0, 0
    PyObject_GetBuffer(log.map, &view, PyBUF_WRITABLE)
    try:
        stop = min(stop, <int64_t>view.len)
        while True:
            record = <Bytes>PyBytes_AS_STRING(data) + at
            if not ordinary(record, min(<int64_t>len(data) - at, stop - position), base + position, &found):
                break
            if found.dispatched:
                queue_id = <int32_t>get32(record + 12)
                if found.name_size != topic_size or memcmp(record + found.name_at, topic, topic_size) != 0:
                    topic, topic_size = record + found.name_at, found.name_size
                    queues = queues_of(PyBytes_FromStringAndSize(<char *>topic, topic_size), names, topics)
                    queue.close()
                if queue.queue is None or queue.queue_id != queue_id:
                    queue.close()
                    if queues is None or not queue.open(queues.get(queue_id), queue_id):
                        break
                if found.queue_offset != queue.next or queue.next >= queue.limit:
                    break
                code = tags_of(record + found.name_at + found.name_size + 2, record + found.total)
                if not queue.arrived or code != queue.code:
                    arrived[queue.queue, code] = None
                    queue.code = code
                    queue.arrived = True
            place = <uint8_t *>view.buf + position
            memcpy(place + BLANK, record + BLANK, found.total - BLANK)
            in_order()
            memcpy(place, record, BLANK)
            if found.dispatched:
                queue.put(base + position, found.total, code)
            position += found.total
            at += <Py_ssize_t>found.total
            newest = max(newest, found.timestamp)
            count += 1
    finally:
        log.position = position
        PyBuffer_Release(&view)
        queue.close()
    return at, count, newest


cdef dict queues_of(bytes topic, dict names, dict topics):
    """The open queues of a topic; None where Python must look."""
    name = names.get(topic)
    entry = topics.get(name) if name and topic != DELAYED else None
    return None if entry is None else entry.queues


cdef class QueueEnd:
    """Where a queue ends that gets units, kept here from `open` to `close`; nobody else may look at it between."""

    cdef object queue
    cdef int32_t queue_id, code
    cdef bint arrived
    cdef Py_buffer view
    cdef int64_t base, next, limit, max_physical

    cdef bint open(self, queue, int32_t queue_id) except -1:
        """Takes a queue; not one that is None or empty, or ends outside of a mapped file."""
        if queue is None:
            return False
        active = queue.active
        if active is None or active.map is None or <int64_t>queue.max_physical < 0:
            return False
        self.base, self.next, self.limit = queue.base, queue.next, queue.limit
        PyObject_GetBuffer(active.map, &self.view, PyBUF_WRITABLE)
        if not 0 <= self.base <= self.next <= self.limit <= self.base + self.view.len // UNIT:
            PyBuffer_Release(&self.view)
            return False
        self.queue, self.queue_id, self.arrived = queue, queue_id, False
        return True

    cdef void put(self, int64_t physical, int64_t size, int32_t code) noexcept:
        """Adds a unit, for which there must be room."""
        cdef uint8_t *unit = <uint8_t *>self.view.buf + (self.next - self.base) * UNIT
        put64(unit, <uint64_t>physical)
        put32(unit + 8, <uint32_t>size)
        put64(unit + 12, <uint64_t><int64_t>code)
        self.next += 1
        self.max_physical = physical + size

    cdef int close(self) except -1:
        """Lets the queue end there."""
        if self.queue is None:
            return 0
        PyBuffer_Release(&self.view)
        queue, self.queue = self.queue, None
        if <int64_t>queue.next != self.next:
            queue.next, queue.max_physical = self.next, self.max_physical
        return 0


# --- the index

cdef bint add_key(uint32_t value, Bytes key, Py_ssize_t size, uint32_t *hashes, int *number) noexcept:
    """Adds the index hash of a key of which `value` is the hash of what stands before it; False: one for Python."""
    if size == 0:
        return True
    if number[0] >= MOST_KEYS or not add_hash(&value, key, size):
        return False
    if value >= 0x80000000u:
        value = 0 - value if value != 0x80000000u else 0
    hashes[number[0]] = value
    number[0] += 1
    return True


cdef int hash_keys(uint32_t topic, Bytes text, Bytes end, uint32_t *hashes) noexcept:
    """The index hashes of a record's unique key, each of its keys and its tags; their number, -1: one for Python."""
    cdef int number = 0
    cdef Py_ssize_t size = 0
    cdef Bytes space
    cdef Bytes value = value_of(text, end, b"UNIQ_KEY", 8, &size)
    if value != NULL and not add_key(topic, value, size, hashes, &number):
        return -1
    value = value_of(text, end, b"KEYS", 4, &size)
    while value != NULL:
        space = <Bytes>memchr(value, b" ", size)
        if not add_key(topic, value, size if space == NULL else space - value, hashes, &number):
            return -1
        if space == NULL or space + 1 == value + size:
            break
        size -= space + 1 - value
        value = space + 1
    value = value_of(text, end, b"TAGS", 4, &size)
    if value != NULL and not add_key((topic * 31 + c"T") * 31 + c"#", value, size, hashes, &number):
        return -1
    return number


def index_records(
    log, int64_t base, int64_t at, int64_t stop,
    index, int64_t entries_at, int64_t slots, int64_t count, int64_t room, int64_t begin,
):
    """Adds to a mapped index file the keys of a mapped log file's records that begin between `at` and `stop`.

    Args:
        log, base: the log file, and its first byte's physical offset.
        index, entries_at, slots: the index file, where its entries begin, and the number of its slots.
        count, room: the number that the next entry gets, and how many there may be.
        begin: the index file's first store time.

    Returns:
        Where it ended, at `stop` or before a record that Python must look at; the next entry's number; how many slots
        were taken into use; and the last added record's offset and time, which mean nothing when none was.
    """
    cdef Py_buffer log_buffer, index_buffer
    PyObject_GetBuffer(log, &log_buffer, PyBUF_SIMPLE)
    try:
        PyObject_GetBuffer(index, &index_buffer, PyBUF_WRITABLE)
        try:
            if (
                not 0 <= base <= INT64_MAX - log_buffer.len
                or not 0 <= at <= stop <= log_buffer.len
                or not 1 <= slots <= INT32_MAX
                or not 1 <= count <= INT32_MAX
                or not 0 <= room <= INT32_MAX - count
                or not INDEX_HEADER + slots * SLOT <= entries_at <= index_buffer.len - (count + room) * ENTRY
            ):
                raise ValueError("what is to be indexed lies outside of the log file or the index file")
            return walk(
                <Bytes>log_buffer.buf, log_buffer.len, base, at, stop,
                <uint8_t *>index_buffer.buf, entries_at, <uint32_t>slots, <int32_t>count, <int32_t>room, begin,
            )
        finally:
            PyBuffer_Release(&index_buffer)
    finally:
        PyBuffer_Release(&log_buffer)


cdef tuple walk(
    Bytes log, int64_t size, int64_t base, int64_t at, int64_t stop,
    uint8_t *index, int64_t entries_at, uint32_t slots, int32_t count, int32_t room, int64_t begin,
):
    cdef uint32_t[MOST_KEYS] hashes
    cdef uint32_t magic, topic_hash = 0, seconds
    cdef int64_t total, head, length, name_at, name_size, topic_size = -1, physical = 0, timestamp = 0
    cdef int32_t previous, used = 0
    cdef int number, i
    cdef Bytes record
    cdef Bytes topic = NULL
    cdef uint8_t *slot
    cdef uint8_t *entry
    while at < stop and size - at >= RECORD_HEAD:
        record = log + at
        magic = get32(record + 4)
        if magic != MAGIC_V1 and magic != MAGIC_V2:
            break
        head = RECORD_HEAD
        head += LONGER_HOST if record[39] & BORN_HOST_V6 else 0
        head += LONGER_HOST if record[39] & STORE_HOST_V6 else 0
        total = <int32_t>get32(record)
        if total < head or total > size - at:
            break
        length = <int32_t>get32(record + head - 4)
        name_at = head + length + (1 if magic == MAGIC_V1 else 2)
        if length < 0 or name_at > total:
            break
        name_size = record[name_at - 1] if magic == MAGIC_V1 else get16(record + name_at - 2)
        if name_at + name_size + 2 > total:
            break
        if record[39] & ROLLBACK != ROLLBACK:
            if name_size != topic_size or memcmp(record + name_at, topic, name_size) != 0:
                topic_hash = 0
                if not add_hash(&topic_hash, record + name_at, name_size):
                    break
                topic_hash = topic_hash * 31 + c"#"
                topic, topic_size = record + name_at, name_size
            number = hash_keys(topic_hash, record + name_at + name_size + 2, record + total, hashes)
            if not 0 <= number <= room:
                break
            if number:
                physical = base + at
                timestamp = <int64_t>get64(record + (68 if record[39] & BORN_HOST_V6 else 56))
                seconds = 0
                if 0 < begin < timestamp:
                    seconds = <uint32_t>min((timestamp - begin) // 1000, <int64_t>INT32_MAX)
            for i in range(number):
                slot = index + INDEX_HEADER + <int64_t>(hashes[i] % slots) * SLOT
                entry = index + entries_at + <int64_t>count * ENTRY
                previous = <int32_t>get32(slot)
                if not 0 < previous < count:
                    previous = 0
                    used += 1
                put32(entry, hashes[i])
                put64(entry + 4, <uint64_t>physical)
                put32(entry + 12, seconds)
                put32(entry + 16, <uint32_t>previous)
                put32(slot, <uint32_t>count)
                count += 1
            room -= number
        at += total
    return at, count, used, physical, timestamp
