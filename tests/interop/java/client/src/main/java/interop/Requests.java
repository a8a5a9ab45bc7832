package interop;

import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Request-reply of the official client, commanded like {@link Driver}: asker, tell, request, answerer, outcomes, stop.
 *
 * <p>An answerer answers each message with `prefix` and the request's body, after `delay` ms, and prints the request as
 * an event; "outcomes" tells what became of its answers, each a send result or the text of the error. "tell" sends an
 * ordinary message, which answerers pass over.
 */
public final class Requests {
    private final String namesrv;
    private final Map<String, DefaultMQProducer> producers = new ConcurrentHashMap<>();
    private final Map<String, DefaultMQPushConsumer> consumers = new ConcurrentHashMap<>();
    private final Map<String, List<Object>> outcomes = new ConcurrentHashMap<>();

    private Requests(String namesrv) {
        this.namesrv = namesrv;
    }

    public static void main(String[] args) throws Exception {
        Loop.serve(new Requests(args[0])::perform);
    }

    private Object perform(JSONObject command) throws Exception {
        String name = command.getString("name");
        switch (command.getString("do")) {
            case "asker":
                return Collections.singletonMap("clientId", producer(name, command).buildMQClientId());
            case "tell":
                Message told = Wire.messages(command.getString("topic"), command.getJSONArray("messages")).get(0);
                return Wire.result(producers.get(name).send(told, 15_000));
            case "request":
                return request(producers.get(name), command);
            case "answerer":
                answerer(name, command);
                return true;
            case "outcomes":
                synchronized (outcomes.get(name)) {
                    return new ArrayList<>(outcomes.get(name));
                }
            case "stop":
                if (consumers.containsKey(name)) {
                    consumers.remove(name).shutdown();
                }
                producers.remove(name).shutdown();
                return true;
            default:
                throw new IllegalArgumentException("unknown verb " + command.getString("do"));
        }
    }

    private DefaultMQProducer producer(String name, JSONObject command) throws Exception {
        DefaultMQProducer producer = Loop.configured(new DefaultMQProducer("P-" + command.getString("group")), command);
        producer.setNamesrvAddr(namesrv);
        producer.setInstanceName(name);
        producer.setSendMsgTimeout(15_000);
        producer.start();
        producers.put(name, producer);
        return producer;
    }

    /** The answer as it was received. */
    private static Object request(DefaultMQProducer producer, JSONObject command) throws Exception {
        Message message = Wire.messages(command.getString("topic"), command.getJSONArray("messages")).get(0);
        long timeout = command.getLongValue("millis");
        switch (command.getString("mode")) {
            case "sync":
                return received(producer.request(message, timeout));
            case "selected":
                return received(producer.request(
                    message, (queues, m, id) -> queues.get((Integer) id), command.getInteger("queue"), timeout));
            case "async":
                CompletableFuture<Message> answer = new CompletableFuture<>();
                producer.request(message, new RequestCallback() {
                    @Override
                    public void onSuccess(Message reply) {
                        // Releases 5 call back with null when the request is stored, and again with the answer.
                        if (reply != null) {
                            answer.complete(reply);
                        }
                    }

                    @Override
                    public void onException(Throwable e) {
                        answer.completeExceptionally(e);
                    }
                }, timeout);
                return received(answer.get());
            default:
                throw new IllegalArgumentException(command.getString("mode"));
        }
    }

    /** An answer has no ids: the client does not know where it is stored. */
    private static Map<String, Object> received(Message answer) {
        Map<String, Object> facts = Wire.received((MessageExt) answer, "");
        facts.put("msgId", "");
        facts.put("offsetMsgId", "");
        return facts;
    }

    private void answerer(String name, JSONObject command) throws Exception {
        DefaultMQProducer answers = producer(name, command);
        List<Object> results = Collections.synchronizedList(new ArrayList<>());
        outcomes.put(name, results);
        byte[] prefix = Base64.getDecoder().decode(command.getString("prefix"));
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(command.getString("group"));
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(name + "-consumer");
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setPullTimeDelayMillsWhenException(100);
        consumer.subscribe(command.getString("topic"), "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                if (message.getProperty("REPLY_TO_CLIENT") == null) {
                    continue;
                }
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("event", "message");
                line.put("name", name);
                line.putAll(Wire.received(message, context.getMessageQueue().getBrokerName()));
                Wire.print(line);
                try {
                    Thread.sleep(command.getLongValue("delay"));
                    results.add(Wire.result(answers.send(answer(message, prefix), 15_000)));
                } catch (Exception e) {
                    results.add(e + " because of " + e.getCause());
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        consumers.put(name, consumer);
    }

    private static Message answer(MessageExt message, byte[] prefix) throws Exception {
        byte[] body = new byte[prefix.length + message.getBody().length];
        System.arraycopy(prefix, 0, body, 0, prefix.length);
        System.arraycopy(message.getBody(), 0, body, prefix.length, message.getBody().length);
        Message answer = MessageUtil.createReplyMessage(message, body);
        answer.putUserProperty("answered", "yes");
        return answer;
    }
}
