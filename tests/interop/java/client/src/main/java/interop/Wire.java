package interop;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONArray;
import com.alibaba.fastjson.JSONObject;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageClientExt;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The lines this program prints and how client values look in them. */
final class Wire {
    private static final OutputStream OUT = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16);

    private Wire() {
    }

    static void print(Map<String, Object> line) {
        byte[] bytes = (JSON.toJSONString(line) + "\n").getBytes(StandardCharsets.UTF_8);
        synchronized (OUT) {
            try {
                OUT.write(bytes);
                OUT.flush();
            } catch (IOException e) {
                Runtime.getRuntime().halt(3);
            }
        }
    }

    /** What lies behind a failure, the nearest first; "Invoke failed" alone does not say that a connection was refused. */
    static List<String> causes(Throwable failure) {
        List<String> causes = new ArrayList<>();
        for (Throwable cause = failure.getCause(); cause != null && causes.size() < 8; cause = cause.getCause()) {
            causes.add(cause.toString());
        }
        return causes;
    }

    static List<Message> messages(String topic, JSONArray items) {
        List<Message> messages = new ArrayList<>(items.size());
        for (int i = 0; i < items.size(); i++) {
            messages.add(message(topic, items.getJSONObject(i)));
        }
        return messages;
    }

    private static Message message(String topic, JSONObject item) {
        Message message = new Message(topic, Base64.getDecoder().decode(item.getString("body")));
        if (item.containsKey("tags")) {
            message.setTags(item.getString("tags"));
        }
        if (item.containsKey("keys")) {
            message.setKeys(item.getString("keys"));
        }
        if (item.containsKey("properties")) {
            JSONObject properties = item.getJSONObject("properties");
            for (String name : properties.keySet()) {
                message.putUserProperty(name, properties.getString(name));
            }
        }
        return message;
    }

    /** [status, msgId, offsetMsgId, brokerName, queueId, queueOffset]. */
    static List<Object> result(SendResult result) {
        List<Object> facts = new ArrayList<>(6);
        facts.add(result.getSendStatus().name());
        facts.add(result.getMsgId());
        facts.add(result.getOffsetMsgId());
        facts.add(result.getMessageQueue().getBrokerName());
        facts.add(result.getMessageQueue().getQueueId());
        facts.add(result.getQueueOffset());
        return facts;
    }

    static Map<String, Object> received(MessageExt message, String brokerName) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("topic", message.getTopic());
        facts.put("brokerName", brokerName);
        facts.put("queueId", message.getQueueId());
        facts.put("queueOffset", message.getQueueOffset());
        facts.put("msgId", message.getMsgId());
        facts.put("offsetMsgId", message instanceof MessageClientExt ? ((MessageClientExt) message).getOffsetMsgId() : message.getMsgId());
        facts.put("body", Base64.getEncoder().encodeToString(message.getBody()));
        facts.put("tags", message.getTags());
        facts.put("keys", message.getKeys());
        facts.put("properties", message.getProperties());
        facts.put("reconsumeTimes", message.getReconsumeTimes());
        facts.put("sysFlag", message.getSysFlag());
        facts.put("bornTimestamp", message.getBornTimestamp());
        facts.put("storeTimestamp", message.getStoreTimestamp());
        return facts;
    }

    static List<Object> queue(MessageQueue queue) {
        List<Object> facts = new ArrayList<>(2);
        facts.add(queue.getBrokerName());
        facts.add(queue.getQueueId());
        return facts;
    }
}
