package interop;

import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The bare pull consumer: each question is one request to the broker. */
final class PullConsuming implements Consuming {
    private final String topic;
    private final DefaultMQPullConsumer consumer;

    PullConsuming(String namesrv, String name, JSONObject options) {
        topic = options.getString("topic");
        consumer = new DefaultMQPullConsumer(options.getString("group"));
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(name);
    }

    @Override
    public Object start() throws Exception {
        consumer.start();
        return Collections.singletonMap("clientId", consumer.buildMQClientId());
    }

    @Override
    public Object ask(JSONObject command) throws Exception {
        switch (command.getString("what")) {
            case "offsets":
                List<Object> offsets = new ArrayList<>();
                for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(topic)) {
                    offsets.add(Arrays.asList(queue.getBrokerName(), queue.getQueueId(), consumer.minOffset(queue), consumer.maxOffset(queue)));
                }
                return offsets;
            case "searchOffset":
                return consumer.searchOffset(queue(command), command.getLongValue("timestamp"));
            case "pull":
                return pulled(consumer.pull(queue(command), command.getString("expression"),
                    command.getLongValue("offset"), command.getIntValue("max")), queue(command));
            case "pullBlock":
                return pulled(consumer.pullBlockIfNotFound(queue(command), command.getString("expression"),
                    command.getLongValue("offset"), command.getIntValue("max")), queue(command));
            case "updateOffset":
                consumer.updateConsumeOffset(queue(command), command.getLongValue("offset"));
                consumer.getDefaultMQPullConsumerImpl().getOffsetStore().persist(queue(command));
                return true;
            case "fetchOffset":
                return consumer.fetchConsumeOffset(queue(command), true);
            default:
                throw new IllegalArgumentException(command.getString("what"));
        }
    }

    private MessageQueue queue(JSONObject command) throws Exception {
        int id = command.getIntValue("queue");
        for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(topic)) {
            if (queue.getQueueId() == id) {
                return queue;
            }
        }
        throw new IllegalStateException("no queue " + id);
    }

    private static Map<String, Object> pulled(PullResult result, MessageQueue queue) {
        Map<String, Object> facts = new LinkedHashMap<>();
        List<Object> messages = new ArrayList<>();
        if (result.getMsgFoundList() != null) {
            for (MessageExt message : result.getMsgFoundList()) {
                messages.add(Wire.received(message, queue.getBrokerName()));
            }
        }
        facts.put("status", result.getPullStatus().name());
        facts.put("next", result.getNextBeginOffset());
        facts.put("min", result.getMinOffset());
        facts.put("max", result.getMaxOffset());
        facts.put("messages", messages);
        return facts;
    }

    @Override
    public void stop() {
        consumer.shutdown();
    }
}
