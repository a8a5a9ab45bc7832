package interop;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Every kind of message at once, for a broker that is killed again and again: what happened goes to a file.
 *
 * <p>Arguments: name server, file, seconds of sending, seconds of each delay level (joined by commas). It prints `sent`
 * when nothing more will be sent, goes on consuming, and ends when standard input does. Every message's body is its id,
 * kind-number. The file's lines, fields parted by tabs, times in milliseconds since the epoch:
 *
 * <pre>
 * S id kind at due note             an attempt to send; `due` is when it may be delivered at the earliest
 * A id topic queue offset at        the broker acknowledged it
 * X id at reason                    the attempt failed
 * T id state at                     the producer told this outcome of a transaction
 * R id at                           the request was answered
 * C group id topic queue offset reconsumeTimes storedAt at     a listener was handed it
 * </pre>
 *
 * <p>The note is what the kind needs: the tag, the key, the outcome, how often it fails.
 */
public final class Soak {
    private static final int FAILURES_IN_ALL = 2;
    private static final int TIMEOUT = 4_000;
    private static final int PAUSE_AFTER_FAILURE = 100;
    private static final int BATCH = 8;
    private static final int KEYS = 16;
    private static final int WINDOW = 16;
    private static final String[] OUTCOMES = {"commit", "rollback", "unknown-commit", "unknown-rollback"};
    private static final String[] TAGS = {"a", "b", "c"};

    private final String namesrv;
    private final BufferedWriter out;
    private final long end;
    private final int[] levels;
    private final AtomicInteger clients = new AtomicInteger();

    private Soak(String[] args) throws IOException {
        namesrv = args[0];
        out = Files.newBufferedWriter(Paths.get(args[1]), StandardCharsets.UTF_8);
        end = System.currentTimeMillis() + Integer.parseInt(args[2]) * 1000L;
        String[] words = args[3].split(",");
        levels = new int[words.length];
        for (int i = 0; i < words.length; i++) {
            levels[i] = Integer.parseInt(words[i]);
        }
    }

    public static void main(String[] args) throws Exception {
        Soak soak = new Soak(args);
        soak.consume();
        List<Thread> senders = soak.senders();
        for (Thread sender : senders) {
            sender.start();
        }
        new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    Thread.yield();
                }
                soak.out.close();
            } catch (IOException e) {
                e.printStackTrace();
            }
            Runtime.getRuntime().halt(0);
        }).start();
        for (Thread sender : senders) {
            sender.join();
        }
        System.out.println("sent");
        System.out.flush();
    }

    private void log(Object... fields) {
        StringBuilder line = new StringBuilder();
        for (Object field : fields) {
            line.append(line.length() == 0 ? "" : "\t").append(field);
        }
        synchronized (out) {
            try {
                out.write(line.append('\n').toString());
                out.flush();
            } catch (IOException e) {
                // The program is ending.
            }
        }
    }

    // --- clients ----------------------------------------------------------------------------------------------------

    private <C extends ClientConfig> C configured(C client) {
        client.setNamesrvAddr(namesrv);
        client.setInstanceName("soak" + clients.incrementAndGet());
        // A restarted broker knows nobody until it is told again.
        client.setHeartbeatBrokerInterval(1_000);
        client.setPollNameServerInterval(1_000);
        client.setPersistConsumerOffsetInterval(1_000);
        return client;
    }

    /** Attempts are counted here, so the client makes none of its own. */
    private <P extends DefaultMQProducer> P started(P producer) throws Exception {
        configured(producer);
        producer.setSendMsgTimeout(TIMEOUT);
        producer.setRetryTimesWhenSendFailed(0);
        producer.setRetryTimesWhenSendAsyncFailed(0);
        producer.start();
        return producer;
    }

    private DefaultMQPushConsumer consumer(String group, String topic, MessageSelector selector) throws Exception {
        DefaultMQPushConsumer consumer = configured(new DefaultMQPushConsumer(group));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeThreadMin(4);
        consumer.setConsumeThreadMax(4);
        consumer.setPullTimeDelayMillsWhenException(500);
        consumer.subscribe(topic, selector);
        return consumer;
    }

    private void consumed(String group, MessageExt message) {
        log("C", group, id(message), message.getTopic(), message.getQueueId(), message.getQueueOffset(),
            message.getReconsumeTimes(), message.getStoreTimestamp(), System.currentTimeMillis());
    }

    private static String id(Message message) {
        return new String(message.getBody(), StandardCharsets.UTF_8);
    }

    private void consume() throws Exception {
        concurrent("all", "SoakPlain", MessageSelector.byTag("*"));
        concurrent("tags", "SoakPlain", MessageSelector.byTag("a || b"));
        concurrent("sql", "SoakPlain", MessageSelector.bySql("number BETWEEN 3 AND 6 AND TAGS IN ('a', 'c')"));
        concurrent("delays", "SoakDelayed", MessageSelector.byTag("*"));
        concurrent("transactions", "SoakTransaction", MessageSelector.byTag("*"));
        ordered();
        ordered();
        retrying();
        popping();
        answering();
    }

    private void concurrent(String group, String topic, MessageSelector selector) throws Exception {
        DefaultMQPushConsumer consumer = consumer(group, topic, selector);
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(message -> consumed(group, message));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
    }

    private void ordered() throws Exception {
        DefaultMQPushConsumer consumer = consumer("ordered", "SoakOrdered", MessageSelector.byTag("*"));
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            messages.forEach(message -> consumed("ordered", message));
            return ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
    }

    private void retrying() throws Exception {
        DefaultMQPushConsumer consumer = consumer("retrying", "SoakRetry", MessageSelector.byTag("*"));
        consumer.setMaxReconsumeTimes(FAILURES_IN_ALL);
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            MessageExt message = messages.get(0);
            consumed("retrying", message);
            return message.getReconsumeTimes() >= Integer.parseInt(message.getUserProperty("fail"))
                ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS : ConsumeConcurrentlyStatus.RECONSUME_LATER;
        });
        consumer.start();
    }

    private void popping() throws Exception {
        DefaultMQPushConsumer consumer = consumer("popping", "SoakPlain", MessageSelector.byTag("*"));
        // Release 4 has neither, and must still compile.
        DefaultMQPushConsumer.class.getMethod("setClientRebalance", boolean.class).invoke(consumer, false);
        DefaultMQPushConsumer.class.getMethod("setPopInvisibleTime", long.class).invoke(consumer, 10_000L);
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(message -> consumed("popping", message));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
    }

    private void answering() throws Exception {
        DefaultMQProducer answers = started(new DefaultMQProducer("answers"));
        DefaultMQPushConsumer consumer = consumer("answering", "SoakRequest", MessageSelector.byTag("*"));
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                consumed("answering", message);
                try {
                    answers.send(MessageUtil.createReplyMessage(message, ("re: " + id(message)).getBytes(StandardCharsets.UTF_8)));
                } catch (Exception e) {
                    log("X", "re: " + id(message), System.currentTimeMillis(), reason(e));
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
    }

    // --- sending ----------------------------------------------------------------------------------------------------

    private interface Step {
        void take(int number) throws Exception;
    }

    private interface Send {
        SendResult send() throws Exception;
    }

    private Thread steps(int pause, Step step) {
        return new Thread(() -> {
            try {
                for (int number = 0; System.currentTimeMillis() < end; number++) {
                    step.take(number);
                    Thread.sleep(pause);
                }
            } catch (Exception e) {
                e.printStackTrace();
                Runtime.getRuntime().halt(4);
            }
        });
    }

    private List<Thread> senders() throws Exception {
        DefaultMQProducer producer = started(new DefaultMQProducer("soaking"));
        TransactionMQProducer transactions = new TransactionMQProducer("transacting");
        transactions.setTransactionListener(new Outcomes());
        started(transactions);
        Semaphore window = new Semaphore(WINDOW);
        List<Thread> threads = new ArrayList<>();
        threads.add(steps(20, number -> {
            Message message = plain("sync-" + number, number);
            untilAcknowledged(message, "sync", 0, message.getTags() + number % 10, () -> producer.send(message));
        }));
        threads.add(steps(20, number -> {
            window.acquire();
            asynchronous(producer, plain("async-" + number, number), number, window);
        }));
        threads.add(steps(200, number -> batch(producer, number)));
        threads.add(steps(10, number -> ordered(producer, number)));
        threads.add(steps(50, number -> {
            int level = number % levels.length + 1;
            Message message = message("SoakDelayed", "level-" + number);
            message.setDelayTimeLevel(level);
            untilAcknowledged(message, "level", now() + levels[level - 1] * 1000L, level, () -> producer.send(message));
        }));
        threads.add(steps(50, number -> timer(producer, number)));
        threads.add(steps(50, number -> {
            Message message = message("SoakTransaction", "transaction-" + number);
            String outcome = OUTCOMES[number % OUTCOMES.length];
            message.putUserProperty("outcome", outcome);
            attempt(message, "transaction", 0, outcome, () -> transactions.sendMessageInTransaction(message, null));
        }));
        threads.add(steps(100, number -> {
            Message message = message("SoakRetry", "retry-" + number);
            int fail = number % (FAILURES_IN_ALL + 2);
            message.putUserProperty("fail", Integer.toString(fail));
            untilAcknowledged(message, "retry", 0, fail, () -> producer.send(message));
        }));
        threads.add(steps(200, number -> request(producer, "request-" + number)));
        return threads;
    }

    private static long now() {
        return System.currentTimeMillis();
    }

    private static String reason(Throwable e) {
        return e.toString().replaceAll("\\s+", " ");
    }

    private static Message message(String topic, String id) {
        Message message = new Message(topic, id.getBytes(StandardCharsets.UTF_8));
        message.setKeys(id);
        return message;
    }

    private static Message plain(String id, int number) {
        Message message = message("SoakPlain", id);
        message.setTags(TAGS[number % TAGS.length]);
        message.putUserProperty("number", Integer.toString(number % 10));
        return message;
    }

    private void acknowledged(String id, SendResult result, int index) {
        log("A", id, result.getMessageQueue().getTopic(), result.getMessageQueue().getQueueId(),
            result.getQueueOffset() + index, now());
    }

    /** Whether it was acknowledged. */
    private boolean attempt(Message message, String kind, long due, Object note, Send send) throws InterruptedException {
        String id = id(message);
        log("S", id, kind, now(), due, note);
        try {
            SendResult result = send.send();
            if (result.getSendStatus() == SendStatus.SEND_OK) {
                acknowledged(id, result, 0);
                return true;
            }
            log("X", id, now(), result.getSendStatus());
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            log("X", id, now(), reason(e));
        }
        Thread.sleep(PAUSE_AFTER_FAILURE);
        return false;
    }

    private void untilAcknowledged(Message message, String kind, long due, Object note, Send send) throws InterruptedException {
        while (!attempt(message, kind, due, note, send)) {
            if (now() > end + 20_000) {
                return;
            }
        }
    }

    private void asynchronous(DefaultMQProducer producer, Message message, int number, Semaphore window) throws Exception {
        String id = id(message);
        log("S", id, "async", now(), 0, message.getTags() + number % 10);
        SendCallback callback = new SendCallback() {
            @Override
            public void onSuccess(SendResult result) {
                window.release();
                if (result.getSendStatus() == SendStatus.SEND_OK) {
                    acknowledged(id, result, 0);
                } else {
                    log("X", id, now(), result.getSendStatus());
                }
            }

            @Override
            public void onException(Throwable e) {
                window.release();
                log("X", id, now(), reason(e));
            }
        };
        try {
            producer.send(message, callback);
        } catch (Exception e) {
            callback.onException(e);
        }
    }

    private void batch(DefaultMQProducer producer, int number) throws InterruptedException {
        List<Message> messages = new ArrayList<>(BATCH);
        for (int i = 0; i < BATCH; i++) {
            int own = number * BATCH + i;
            Message message = plain("batch-" + own, own);
            messages.add(message);
            log("S", id(message), "batch", now(), 0, message.getTags() + own % 10);
        }
        try {
            SendResult result = producer.send(messages);
            if (result.getSendStatus() == SendStatus.SEND_OK) {
                for (int i = 0; i < BATCH; i++) {
                    acknowledged(id(messages.get(i)), result, i);
                }
                return;
            }
            log("X", "batch-" + number * BATCH, now(), result.getSendStatus());
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            log("X", "batch-" + number * BATCH, now(), reason(e));
        }
        Thread.sleep(PAUSE_AFTER_FAILURE);
    }

    /** A key's next number is sent when the one before is acknowledged. */
    private void ordered(DefaultMQProducer producer, int number) throws InterruptedException {
        int key = number % KEYS;
        Message message = message("SoakOrdered", "ordered-" + key + "-" + number / KEYS);
        untilAcknowledged(message, "ordered", 0, key,
            () -> producer.send(message, (queues, m, k) -> queues.get((Integer) k % queues.size()), key));
    }

    /** Odd ones wait for a time, even ones for a span; the time kept is rounded down to seconds. */
    private void timer(DefaultMQProducer producer, int number) throws Exception {
        Message message = message("SoakDelayed", "timer-" + number);
        long span = 1_000 + number * 137L % 9_000;
        long time = now() + span;
        if (number % 2 == 1) {
            Message.class.getMethod("setDeliverTimeMs", long.class).invoke(message, time);
        } else {
            Message.class.getMethod("setDelayTimeMs", long.class).invoke(message, span);
        }
        untilAcknowledged(message, "timer", time - 1_000, span, () -> producer.send(message));
    }

    private void request(DefaultMQProducer producer, String id) throws InterruptedException {
        log("S", id, "request", now(), 0, "");
        try {
            Message answer = producer.request(message("SoakRequest", id), TIMEOUT);
            if (id(answer).equals("re: " + id)) {
                log("R", id, now());
            } else {
                log("X", id, now(), "answered " + id(answer));
            }
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            log("X", id, now(), reason(e));
        }
    }

    /** What becomes of a transaction stands in its message; unknown ones are told at the second check. */
    private final class Outcomes implements TransactionListener {
        @Override
        public LocalTransactionState executeLocalTransaction(Message message, Object arg) {
            return told(message, message.getProperty("outcome"));
        }

        @Override
        public LocalTransactionState checkLocalTransaction(MessageExt message) {
            String outcome = message.getProperty("outcome");
            boolean first = Integer.parseInt(message.getProperty("TRANSACTION_CHECK_TIMES")) < 2;
            return told(message, first ? outcome : outcome.replace("unknown-", ""));
        }

        private LocalTransactionState told(Message message, String outcome) {
            LocalTransactionState state = outcome.equals("commit") ? LocalTransactionState.COMMIT_MESSAGE
                : outcome.equals("rollback") ? LocalTransactionState.ROLLBACK_MESSAGE : LocalTransactionState.UNKNOW;
            log("T", id(message), state, now());
            return state;
        }
    }
}
