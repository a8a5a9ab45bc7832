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

/** A concurrent push consumer that prints each message it is handed. */
final class PushConsuming implements Consuming {
    private final String name;
    private final String topic;
    private final DefaultMQPushConsumer consumer;

    PushConsuming(String namesrv, String name, JSONObject options) throws Exception {
        this.name = name;
        topic = options.getString("topic");
        consumer = new DefaultMQPushConsumer(options.getString("group"));
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(name);
        // The enumeration's package differs between the two releases, so it is set by the type the client declares.
        DefaultMQPushConsumer.class.getMethod("setMessageModel", consumer.getMessageModel().getClass()).invoke(
            consumer, consumer.getMessageModel().getClass().getField(options.getString("model")).get(null));
        consumer.setConsumeFromWhere(ConsumeFromWhere.valueOf(options.getString("from")));
        consumer.subscribe(topic, options.getString("expression"));
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("event", "message");
                line.put("name", name);
                line.putAll(Wire.received(message, context.getMessageQueue().getBrokerName()));
                Wire.print(line);
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
    }

    @Override
    public Object start() throws Exception {
        consumer.start();
        return Collections.singletonMap("clientId", consumer.buildMQClientId());
    }

    @Override
    public Object ask(JSONObject command) {
        switch (command.getString("what")) {
            case "queues":
                return queues();
            case "persist":
                consumer.getDefaultMQPushConsumerImpl().persistConsumerOffset();
                return true;
            default:
                throw new IllegalArgumentException(command.getString("what"));
        }
    }

    private List<Object> queues() {
        List<Object> queues = new ArrayList<>();
        for (Object queue : consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet()) {
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
