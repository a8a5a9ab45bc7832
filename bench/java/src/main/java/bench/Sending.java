package bench;

import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/**
 * Threads that send one after the other, each waiting for its answer: single messages or batches. With "properties"
 * each message has so many of the user's: "region" goes through eu, us and cn, "number" counts, the others fill up.
 */
final class Sending {
    private static final int RETRY_MILLIS = 5;
    private static final String[] REGIONS = {"eu", "us", "cn"};

    private final JSONObject command;
    private final String topic;
    private final int threads;
    private final int batch;
    private final byte[] body;
    private final int properties;
    private final AtomicLong number = new AtomicLong();
    private final LongAdder sent = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final Times times = new Times();
    private final AtomicBoolean running = new AtomicBoolean(true);
    private final DefaultMQProducer producer;

    Sending(JSONObject command) throws Exception {
        this.command = command;
        topic = command.getString("topic");
        threads = command.getIntValue("threads");
        batch = command.getIntValue("batch");
        body = new byte[command.getIntValue("size")];
        new Random(1).nextBytes(body);
        properties = command.getIntValue("properties");
        producer = new DefaultMQProducer("benchmark_producer");
        producer.setNamesrvAddr(command.getString("namesrv"));
        producer.setInstanceName(Long.toString(System.nanoTime()));
        producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
        producer.setSendMsgTimeout(10_000);
        producer.start();
    }

    /** After the warm-up ("warmup" seconds), the rate over "windows" windows of "window" seconds each, and "time". */
    Map<String, Object> measure() throws Exception {
        List<Thread> senders = startSenders(new AtomicLong(Long.MAX_VALUE));
        Thread.sleep((long) (command.getDoubleValue("warmup") * 1000));
        Windows windows = new Windows(sent);
        times.forget();
        for (int i = 0; i < command.getIntValue("windows"); i++) {
            windows.watch(command.getDoubleValue("window"));
        }
        running.set(false);
        finish(senders);
        Map<String, Object> facts = windows.facts();
        facts.put("time", times.medianMicros());
        facts.put("failed", failed.sum());
        return facts;
    }

    /** Sends so many messages, no more and no fewer. */
    Map<String, Object> fill(int count) throws Exception {
        long begin = System.nanoTime();
        finish(startSenders(new AtomicLong(count)));
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("sent", sent.sum());
        facts.put("failed", failed.sum());
        facts.put("seconds", (System.nanoTime() - begin) / 1e9);
        return facts;
    }

    /** Lets the threads send and answers after "warmup" seconds, while they go on. */
    Map<String, Object> begin() throws Exception {
        startSenders(new AtomicLong(Long.MAX_VALUE));
        Thread.sleep((long) (command.getDoubleValue("warmup") * 1000));
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("sent", sent.sum());
        facts.put("failed", failed.sum());
        return facts;
    }

    /** Ends the threads, then tries one send after the other with their producer, and answers when one is acknowledged. */
    Map<String, Object> untilAcknowledged(int timeout) throws Exception {
        running.set(false);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(timeout);
        boolean acknowledged = false;
        int failures = 0;
        while (!acknowledged && System.nanoTime() < deadline) {
            try {
                acknowledged = producer.send(new Message(topic, body)).getSendStatus() == SendStatus.SEND_OK;
            } catch (Exception e) {
                failures++;
                Thread.sleep(RETRY_MILLIS);
            }
        }
        new Thread(producer::shutdown).start();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("acknowledged", acknowledged);
        facts.put("failures", failures);
        return facts;
    }

    private List<Thread> startSenders(AtomicLong left) {
        List<Thread> senders = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Thread sender = new Thread(() -> send(left), "sender-" + i);
            sender.start();
            senders.add(sender);
        }
        return senders;
    }

    private void finish(List<Thread> senders) throws InterruptedException {
        for (Thread sender : senders) {
            sender.join();
        }
        new Thread(producer::shutdown).start();
    }

    private void send(AtomicLong left) {
        while (running.get()) {
            int size = (int) Math.min(batch, left.getAndAdd(-batch));
            if (size <= 0) {
                return;
            }
            long begin = System.nanoTime();
            try {
                SendStatus status = size == 1 && batch == 1 ? producer.send(message()).getSendStatus()
                    : producer.send(several(size)).getSendStatus();
                if (status == SendStatus.SEND_OK) {
                    sent.add(size);
                    times.add(System.nanoTime() - begin);
                } else {
                    failed.add(size);
                }
            } catch (Exception e) {
                failed.add(size);
                left.addAndGet(size);
            }
        }
    }

    private List<Message> several(int size) {
        List<Message> messages = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            messages.add(message());
        }
        return messages;
    }

    private Message message() {
        Message message = new Message(topic, body);
        if (properties > 0) {
            long own = number.getAndIncrement();
            for (int i = 2; i < properties; i++) {
                message.putUserProperty("property" + i, "value " + i + " of " + own);
            }
            message.putUserProperty("region", REGIONS[(int) (own % REGIONS.length)]);
            message.putUserProperty("number", Long.toString(own));
        }
        return message;
    }
}
