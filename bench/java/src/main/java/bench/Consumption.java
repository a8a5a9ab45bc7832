package bench;

import com.alibaba.fastjson.JSONObject;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;

/**
 * A push consumer of a new group that catches up with a filled topic: "count" messages with "threads" threads, "pull" at
 * a time, all of the topic or those that the expression "sql" selects.
 */
final class Consumption {
    private final JSONObject command;
    private final long count;
    private final LongAdder consumed = new LongAdder();
    private final AtomicLong first = new AtomicLong();
    private final CountDownLatch complete = new CountDownLatch(1);

    Consumption(JSONObject command) {
        this.command = command;
        count = command.getLongValue("count");
    }

    /** "median" over windows of "window" seconds, and "rate": all messages over the time from the first to the last. */
    Map<String, Object> measure() throws Exception {
        DefaultMQPushConsumer consumer = consumer();
        consumer.start();
        Windows windows = new Windows(consumed);
        double window = command.getDoubleValue("window");
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(command.getIntValue("timeout"));
        while (first.get() == 0 && System.nanoTime() < deadline) {
            Thread.sleep(1);
        }
        while (complete.getCount() > 0 && System.nanoTime() < deadline) {
            windows.watch(window);
        }
        long last = System.nanoTime();
        if (complete.getCount() == 0) {
            windows.forgetLast(); // it ended within this window
        }
        Map<String, Object> facts = windows.facts();
        facts.put("consumed", consumed.sum());
        facts.put("rate", Math.round(consumed.sum() * 1e9 / Math.max(1, (complete.getCount() == 0 ? end : last) - first.get())));
        new Thread(consumer::shutdown).start();
        return facts;
    }

    private volatile long end;

    private DefaultMQPushConsumer consumer() throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(command.getString("group"));
        consumer.setNamesrvAddr(command.getString("namesrv"));
        consumer.setInstanceName(Long.toString(System.nanoTime()));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeThreadMin(command.getIntValue("threads"));
        consumer.setConsumeThreadMax(command.getIntValue("threads"));
        consumer.setConsumeMessageBatchMaxSize(32);
        consumer.setPullThresholdForQueue(10_000);
        if (command.containsKey("pull")) {
            consumer.setPullBatchSize(command.getIntValue("pull"));
        }
        String sql = command.getString("sql");
        consumer.subscribe(command.getString("topic"), sql == null ? MessageSelector.byTag("*") : MessageSelector.bySql(sql));
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            first.compareAndSet(0, System.nanoTime());
            consumed.add(messages.size());
            if (consumed.sum() >= count && complete.getCount() > 0) {
                end = System.nanoTime();
                complete.countDown();
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        return consumer;
    }
}
