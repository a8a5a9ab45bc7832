package interop;

import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Members of groups that are watched and held up, commanded like {@link Driver}: push, lite, queues, suspend, resume, poll,
 * persist, query, stop.
 *
 * <p>A push consumer takes every message; the member "set" names setters and their values. A lite consumer reads all queues
 * of its topic from their beginning; suspend and resume take the member "queues" for it.
 */
public final class Members {
    private final String namesrv;
    private final Map<String, DefaultMQPushConsumer> pushing = new ConcurrentHashMap<>();
    private final Map<String, DefaultLitePullConsumer> polling = new ConcurrentHashMap<>();
    private final Map<String, List<MessageQueue>> assigned = new ConcurrentHashMap<>();

    private Members(String namesrv) {
        this.namesrv = namesrv;
    }

    public static void main(String[] args) throws Exception {
        Loop.serve(new Members(args[0])::perform);
    }

    private Object perform(JSONObject command) throws Exception {
        String name = command.getString("name");
        switch (command.getString("do")) {
            case "push":
                return push(name, command);
            case "lite":
                return lite(name, command);
            case "queues":
                return queues(pushing.get(name), command.getString("topic"));
            case "suspend":
            case "resume":
                hold(name, command.getString("do").equals("suspend"), command);
                return true;
            case "poll":
                return facts(polling.get(name).poll(command.getLongValue("timeout")));
            case "persist":
                pushing.get(name).getDefaultMQPushConsumerImpl().persistConsumerOffset();
                return true;
            case "query":
                return facts(pushing.get(name).queryMessage(command.getString("topic"), command.getString("key"),
                    command.getIntValue("max"), command.getLongValue("begin"), command.getLongValue("end")).getMessageList());
            case "stop":
                if (pushing.containsKey(name)) {
                    pushing.remove(name).shutdown();
                } else {
                    polling.remove(name).shutdown();
                }
                return true;
            default:
                throw new IllegalArgumentException("unknown verb " + command.getString("do"));
        }
    }

    private Object push(String name, JSONObject command) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(command.getString("group"));
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(name);
        String expression = command.getString("expression");
        Loop.configured(consumer, command).subscribe(command.getString("topic"), expression == null ? "*" : expression);
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
        consumer.start();
        pushing.put(name, consumer);
        return Collections.singletonMap("clientId", consumer.buildMQClientId());
    }

    private Object lite(String name, JSONObject command) throws Exception {
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(command.getString("group"));
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(name);
        Loop.configured(consumer, command).start();
        List<MessageQueue> queues = new ArrayList<>(consumer.fetchMessageQueues(command.getString("topic")));
        Collections.sort(queues);
        consumer.assign(queues);
        for (MessageQueue queue : queues) {
            consumer.seekToBegin(queue);
        }
        polling.put(name, consumer);
        assigned.put(name, queues);
        return Collections.singletonMap("clientId", consumer.buildMQClientId());
    }

    private void hold(String name, boolean suspended, JSONObject command) {
        if (pushing.containsKey(name)) {
            if (suspended) {
                pushing.get(name).suspend();
            } else {
                pushing.get(name).resume();
            }
            return;
        }
        List<MessageQueue> queues = new ArrayList<>();
        for (Object id : command.getJSONArray("queues")) {
            queues.add(assigned.get(name).get((Integer) id));
        }
        if (suspended) {
            polling.get(name).pause(queues);
        } else {
            polling.get(name).resume(queues);
        }
    }

    /** The queues of a topic that a consumer reads, which means that it knows where to begin. */
    private static List<Object> queues(DefaultMQPushConsumer consumer, String topic) {
        List<Object> queues = new ArrayList<>();
        for (MessageQueue queue : consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet()) {
            if (queue.getTopic().equals(topic)) {
                queues.add(Wire.queue(queue));
            }
        }
        return queues;
    }

    private static List<Object> facts(List<MessageExt> messages) {
        List<Object> facts = new ArrayList<>();
        for (MessageExt message : messages) {
            facts.add(Wire.received(message, message.getBrokerName()));
        }
        return facts;
    }
}
