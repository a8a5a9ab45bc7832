package interop;

import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Producers and push consumers of the official client with any of their settings, commanded like {@link Driver}:
 * producer, send, push, stop.
 *
 * <p>The member "set" names setters and their values; "trace" switches message tracing on. A consumer's listener throws
 * on bodies that begin with "throw", and takes all others.
 */
public final class Forms {
    private final String namesrv;
    private final Map<String, DefaultMQProducer> producers = new ConcurrentHashMap<>();
    private final Map<String, DefaultMQPushConsumer> consumers = new ConcurrentHashMap<>();

    private Forms(String namesrv) {
        this.namesrv = namesrv;
    }

    public static void main(String[] args) throws Exception {
        Loop.serve(new Forms(args[0])::perform);
    }

    private Object perform(JSONObject command) throws Exception {
        String name = command.getString("name");
        switch (command.getString("do")) {
            case "producer":
                return Collections.singletonMap("clientId", producer(name, command).buildMQClientId());
            case "send":
                List<Object> results = new ArrayList<>();
                for (Message message : Wire.messages(command.getString("topic"), command.getJSONArray("messages"))) {
                    results.add(Wire.result(producers.get(name).send(message)));
                }
                return results;
            case "push":
                return Collections.singletonMap("clientId", push(name, command).buildMQClientId());
            case "persist":
                consumers.get(name).getDefaultMQPushConsumerImpl().persistConsumerOffset();
                return true;
            case "stop":
                if (producers.containsKey(name)) {
                    producers.remove(name).shutdown();
                } else {
                    consumers.remove(name).shutdown();
                }
                return true;
            default:
                throw new IllegalArgumentException("unknown verb " + command.getString("do"));
        }
    }

    private DefaultMQProducer producer(String name, JSONObject command) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer(command.getString("group"), command.getBooleanValue("trace"), null);
        producer.setNamesrvAddr(namesrv);
        producer.setInstanceName(name);
        producer.setSendMsgTimeout(10_000);
        producer.setRetryTimesWhenSendFailed(0);
        Loop.configured(producer, command).start();
        producers.put(name, producer);
        return producer;
    }

    private DefaultMQPushConsumer push(String name, JSONObject command) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(command.getString("group"), command.getBooleanValue("trace"), null);
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(name);
        Loop.configured(consumer, command).subscribe(command.getString("topic"), "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("event", "message");
                line.put("name", name);
                line.putAll(Wire.received(message, context.getMessageQueue().getBrokerName()));
                line.put("bornHost", message.getBornHost().toString());
                Wire.print(line);
                if (new String(message.getBody()).startsWith("throw")) {
                    throw new IllegalStateException("told to");
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        consumers.put(name, consumer);
        return consumer;
    }
}
