package interop;

import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** A lite pull consumer: subscribed (queues by rebalance) or assigned (all queues of the topic). */
final class LiteConsuming implements Consuming {
    private final String topic;
    private final boolean assign;
    private final DefaultLitePullConsumer consumer;
    private Collection<MessageQueue> queues = Collections.emptyList();

    LiteConsuming(String namesrv, String name, JSONObject options) throws Exception {
        topic = options.getString("topic");
        assign = options.getBooleanValue("assign");
        consumer = new DefaultLitePullConsumer(options.getString("group"));
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(name);
        consumer.setAutoCommit(false);
        consumer.setConsumeFromWhere(org.apache.rocketmq.common.consumer.ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        if (!assign) {
            consumer.subscribe(topic, options.getString("expression"));
        }
    }

    @Override
    public Object start() throws Exception {
        consumer.start();
        if (assign) {
            queues = consumer.fetchMessageQueues(topic);
            consumer.assign(queues);
        }
        return Collections.singletonMap("clientId", consumer.buildMQClientId());
    }

    @Override
    public Object ask(JSONObject command) throws Exception {
        switch (command.getString("what")) {
            case "poll":
                List<Object> messages = new ArrayList<>();
                for (MessageExt message : consumer.poll(command.getLongValue("timeout"))) {
                    messages.add(Wire.received(message, message.getBrokerName()));
                }
                return messages;
            case "seek":
                consumer.seek(queue(command.getIntValue("queue")), command.getLongValue("offset"));
                return true;
            case "seekToBegin":
                consumer.seekToBegin(queue(command.getIntValue("queue")));
                return true;
            case "seekToEnd":
                consumer.seekToEnd(queue(command.getIntValue("queue")));
                return true;
            case "commit":
                consumer.commitSync();
                return true;
            case "committed":
                return consumer.committed(queue(command.getIntValue("queue")));
            case "offsetForTimestamp":
                return consumer.offsetForTimestamp(queue(command.getIntValue("queue")), command.getLongValue("timestamp"));
            default:
                throw new IllegalArgumentException(command.getString("what"));
        }
    }

    private MessageQueue queue(int id) throws Exception {
        for (MessageQueue queue : queues.isEmpty() ? consumer.fetchMessageQueues(topic) : queues) {
            if (queue.getQueueId() == id) {
                return queue;
            }
        }
        throw new IllegalStateException("no queue " + id);
    }

    @Override
    public void stop() {
        consumer.shutdown();
    }
}
