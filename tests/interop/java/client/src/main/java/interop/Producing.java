package interop;

import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/** One producer and the ways in which it sends. */
final class Producing {
    private static final int ASYNC_IN_FLIGHT = 256;
    private final DefaultMQProducer producer;

    Producing(String namesrv, String name, JSONObject options) throws Exception {
        producer = new DefaultMQProducer(options.getString("group"));
        producer.setNamesrvAddr(namesrv);
        producer.setInstanceName(name);
        producer.setSendMsgTimeout(10_000);
        if (options.containsKey("compressOver")) {
            producer.setCompressMsgBodyOverHowmuch(options.getIntValue("compressOver"));
        }
        producer.start();
    }

    Map<String, Object> facts() {
        return Collections.singletonMap("clientId", producer.buildMQClientId());
    }

    /** Sends all messages and answers one result for each (for one-way: none; for a batch: one a batch). */
    List<Object> send(JSONObject command) throws Exception {
        List<Message> messages = Wire.messages(command.getString("topic"), command.getJSONArray("messages"));
        switch (command.getString("mode")) {
            case "sync":
                return sync(messages, command.getIntValue("threads"), command.getInteger("queue"));
            case "async":
                return async(messages);
            case "oneway":
                for (Message message : messages) {
                    producer.sendOneway(message);
                }
                return Collections.emptyList();
            case "batch":
                return batch(messages, command.getIntValue("size"));
            default:
                throw new IllegalArgumentException(command.getString("mode"));
        }
    }

    private List<Object> sync(List<Message> messages, int threads, Integer queue) throws Exception {
        Object[] results = new Object[messages.size()];
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Future<?>> running = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            final int first = t;
            running.add(pool.submit(() -> {
                for (int i = first; i < results.length; i += threads) {
                    results[i] = Wire.result(queue == null ? producer.send(messages.get(i))
                        : producer.send(messages.get(i), (queues, message, id) -> pick(queues, (Integer) id), queue));
                }
                return null;
            }));
        }
        for (Future<?> done : running) {
            done.get();
        }
        pool.shutdown();
        return Arrays.asList(results);
    }

    private static MessageQueue pick(List<MessageQueue> queues, int id) {
        for (MessageQueue queue : queues) {
            if (queue.getQueueId() == id) {
                return queue;
            }
        }
        throw new IllegalStateException("no queue " + id);
    }

    private List<Object> async(List<Message> messages) throws Exception {
        Object[] results = new Object[messages.size()];
        Semaphore room = new Semaphore(ASYNC_IN_FLIGHT);
        CountDownLatch all = new CountDownLatch(results.length);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (int i = 0; i < results.length; i++) {
            final int at = i;
            room.acquire();
            producer.send(messages.get(i), new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    results[at] = Wire.result(result);
                    room.release();
                    all.countDown();
                }

                @Override
                public void onException(Throwable e) {
                    failure.set(e);
                    room.release();
                    all.countDown();
                }
            });
        }
        all.await();
        if (failure.get() != null) {
            throw new IllegalStateException(failure.get());
        }
        return Arrays.asList(results);
    }

    private List<Object> batch(List<Message> messages, int size) throws Exception {
        List<Object> results = new ArrayList<>();
        for (int i = 0; i < messages.size(); i += size) {
            results.add(Wire.result(producer.send(messages.subList(i, Math.min(messages.size(), i + size)))));
        }
        return results;
    }

    List<Object> publishQueues(String topic) throws Exception {
        List<Object> queues = new ArrayList<>();
        for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
            queues.add(Wire.queue(queue));
        }
        return queues;
    }

    Map<String, Object> view(String topic, String msgId) throws Exception {
        return new LinkedHashMap<>(Wire.received(producer.viewMessage(topic, msgId), ""));
    }

    void stop() {
        producer.shutdown();
    }
}
