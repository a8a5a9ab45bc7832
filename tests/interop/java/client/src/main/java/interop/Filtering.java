package interop;

import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Consumers that select messages by an SQL92 expression: "kind" is push, lite or pull. */
final class Filtering implements Consuming {
    private final String name;
    private final String topic;
    private DefaultMQPushConsumer push;
    private DefaultLitePullConsumer lite;
    private DefaultMQPullConsumer pull;

    Filtering(String namesrv, String name, JSONObject options) throws Exception {
        this.name = name;
        topic = options.getString("topic");
        String group = options.getString("group");
        MessageSelector selector = MessageSelector.bySql(options.getString("expression"));
        switch (options.getString("kind")) {
            case "push":
                push = new DefaultMQPushConsumer(group);
                push.setNamesrvAddr(namesrv);
                push.setInstanceName(name);
                push.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
                push.subscribe(topic, selector);
                push.registerMessageListener((MessageListenerConcurrently) (messages, context) -> consume(messages,
                    context.getMessageQueue().getBrokerName()));
                break;
            case "lite":
                lite = new DefaultLitePullConsumer(group);
                lite.setNamesrvAddr(namesrv);
                lite.setInstanceName(name);
                lite.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
                lite.subscribe(topic, selector);
                break;
            default:
                pull = new DefaultMQPullConsumer(group);
                pull.setNamesrvAddr(namesrv);
                pull.setInstanceName(name);
        }
    }

    /** Prints what came; a message with the property "again" is refused when it comes for the first time. */
    private ConsumeConcurrentlyStatus consume(List<MessageExt> messages, String brokerName) {
        ConsumeConcurrentlyStatus status = ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        for (MessageExt message : messages) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("event", "message");
            line.put("name", name);
            line.putAll(Wire.received(message, brokerName));
            Wire.print(line);
            if (message.getProperty("again") != null && message.getReconsumeTimes() == 0) {
                status = ConsumeConcurrentlyStatus.RECONSUME_LATER;
            }
        }
        return status;
    }

    @Override
    public Object start() throws Exception {
        if (push != null) {
            push.start();
        } else if (lite != null) {
            lite.start();
        } else {
            pull.start();
        }
        return Collections.emptyMap();
    }

    @Override
    public Object ask(JSONObject command) throws Exception {
        switch (command.getString("what")) {
            case "subscribe":
                push.subscribe(topic, MessageSelector.bySql(command.getString("expression")));
                return true;
            case "poll":
                List<Object> messages = new ArrayList<>();
                for (MessageExt message : lite.poll(command.getLongValue("timeout"))) {
                    messages.add(Wire.received(message, message.getBrokerName()));
                }
                return messages;
            case "greet":
                // Only a client that has heard from the broker which version it is pulls with an expression.
                MQClientInstance client = pull.getDefaultMQPullConsumerImpl().getRebalanceImpl().getmQClientFactory();
                client.updateTopicRouteInfoFromNameServer(topic);
                client.sendHeartbeatToAllBrokerWithLock();
                return true;
            case "pull":
                return pulled(command);
            default:
                throw new IllegalArgumentException(command.getString("what"));
        }
    }

    private Map<String, Object> pulled(JSONObject command) throws Exception {
        for (MessageQueue queue : pull.fetchSubscribeMessageQueues(topic)) {
            if (queue.getQueueId() == command.getIntValue("queue")) {
                PullResult result = pull.pull(queue, MessageSelector.bySql(command.getString("expression")),
                    command.getLongValue("offset"), command.getIntValue("max"));
                List<Object> messages = new ArrayList<>();
                if (result.getMsgFoundList() != null) {
                    for (MessageExt message : result.getMsgFoundList()) {
                        messages.add(Wire.received(message, queue.getBrokerName()));
                    }
                }
                Map<String, Object> facts = new LinkedHashMap<>();
                facts.put("status", result.getPullStatus().name());
                facts.put("next", result.getNextBeginOffset());
                facts.put("messages", messages);
                return facts;
            }
        }
        throw new IllegalStateException("no queue " + command.getIntValue("queue"));
    }

    @Override
    public void stop() {
        if (push != null) {
            push.shutdown();
        } else if (lite != null) {
            lite.shutdown();
        } else {
            pull.shutdown();
        }
    }
}
