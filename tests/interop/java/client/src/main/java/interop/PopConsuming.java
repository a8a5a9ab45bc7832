package interop;

import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A push consumer that leaves the choice of queues, and whether it pulls or pops them, to the broker (since 5.0).
 *
 * <p>It prints each message with the time at which it was handed it. A message with property "fail" fails until it was
 * tried that many times; one with property "stall" takes that many milliseconds the first time. Option "invisible" is
 * the pops' invisible time in milliseconds.
 */
final class PopConsuming implements Consuming {
    private final String name;
    private final String topic;
    private final DefaultMQPushConsumer consumer;

    PopConsuming(String namesrv, String name, JSONObject options) throws Exception {
        this.name = name;
        topic = options.getString("topic");
        consumer = new DefaultMQPushConsumer(options.getString("group"));
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(name);
        consumer.setConsumeFromWhere(ConsumeFromWhere.valueOf(options.getString("from")));
        // Release 4 has neither, and must still compile.
        DefaultMQPushConsumer.class.getMethod("setClientRebalance", boolean.class).invoke(consumer, false);
        if (options.containsKey("invisible")) {
            DefaultMQPushConsumer.class.getMethod("setPopInvisibleTime", long.class)
                .invoke(consumer, options.getLongValue("invisible"));
        }
        consumer.subscribe(topic, options.getString("expression"));
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) ->
            handle(messages.get(0), context.getMessageQueue()) ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS
                : ConsumeConcurrentlyStatus.RECONSUME_LATER);
    }

    private boolean handle(MessageExt message, MessageQueue queue) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("event", "message");
        line.put("name", name);
        line.put("at", System.currentTimeMillis());
        line.putAll(Wire.received(message, queue.getBrokerName()));
        Wire.print(line);
        String stall = message.getUserProperty("stall");
        if (stall != null && message.getReconsumeTimes() == 0) {
            try {
                Thread.sleep(Long.parseLong(stall));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        String fail = message.getUserProperty("fail");
        return fail == null || message.getReconsumeTimes() >= Integer.parseInt(fail);
    }

    @Override
    public Object start() throws Exception {
        consumer.start();
        return Collections.singletonMap("clientId", consumer.buildMQClientId());
    }

    @Override
    public Object ask(JSONObject command) throws Exception {
        switch (command.getString("what")) {
            case "queues":
                return queues("getProcessQueueTable");
            case "popQueues":
                return queues("getPopProcessQueueTable");
            case "rebalance":
                consumer.getDefaultMQPushConsumerImpl().doRebalance();
                return true;
            default:
                throw new IllegalArgumentException(command.getString("what"));
        }
    }

    private List<Object> queues(String table) throws Exception {
        Object rebalance = consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl();
        Map<?, ?> held = (Map<?, ?>) rebalance.getClass().getMethod(table).invoke(rebalance);
        List<Object> queues = new ArrayList<>();
        for (Object queue : held.keySet()) {
            if (((MessageQueue) queue).getTopic().equals(topic)) {
                queues.add(Wire.queue((MessageQueue) queue));
            }
        }
        return queues;
    }

    @Override
    public void stop() {
        consumer.shutdown();
    }
}
