package interop;

import com.alibaba.fastjson.JSONArray;
import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;

/** A producer of delayed messages. What only the 5.x client has is called by name. */
final class Delaying implements Consuming {
    private final DefaultMQProducer producer;

    Delaying(String namesrv, String name, JSONObject options) {
        producer = new DefaultMQProducer(options.getString("group"));
        producer.setNamesrvAddr(namesrv);
        producer.setInstanceName(name);
        producer.setSendMsgTimeout(10_000);
    }

    @Override
    public Object start() throws Exception {
        producer.start();
        return Collections.singletonMap("clientId", producer.buildMQClientId());
    }

    @Override
    public Object ask(JSONObject command) throws Exception {
        switch (command.getString("what")) {
            case "send":
                return send(command.getString("topic"), command.getJSONArray("messages"));
            case "recall":
                return DefaultMQProducer.class.getMethod("recallMessage", String.class, String.class)
                    .invoke(producer, command.getString("topic"), command.getString("handle"));
            default:
                throw new IllegalArgumentException(command.getString("what"));
        }
    }

    @Override
    public void stop() {
        producer.shutdown();
    }

    /** Sends one after the other; each message's "delay" is a setter of Message and its argument. */
    private List<Object> send(String topic, JSONArray items) throws Exception {
        List<Message> messages = Wire.messages(topic, items);
        List<Object> results = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            JSONArray delay = items.getJSONObject(i).getJSONArray("delay");
            if (delay != null) {
                set(messages.get(i), delay.getString(0), delay.getLongValue(1));
            }
            SendResult sent = producer.send(messages.get(i));
            List<Object> facts = Wire.result(sent);
            facts.add(handle(sent));
            results.add(facts);
        }
        return results;
    }

    private static void set(Message message, String setter, long value) throws Exception {
        if (setter.equals("setDelayTimeLevel")) {
            message.setDelayTimeLevel((int) value);
        } else {
            Message.class.getMethod(setter, long.class).invoke(message, value);
        }
    }

    private static Object handle(SendResult sent) throws Exception {
        try {
            return SendResult.class.getMethod("getRecallHandle").invoke(sent);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }
}
