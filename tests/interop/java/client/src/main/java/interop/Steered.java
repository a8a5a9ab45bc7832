package interop;

import com.alibaba.fastjson.JSONObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A push consumer whose listener fails on command.
 *
 * <p>It prints each message with the time at which it was handed it. A message whose property "fail" is a number is
 * answered with failure until it was tried that many times. Options: "orderly"; "level", the delay level asked for when
 * a message fails; "suspend", the milliseconds that an orderly queue rests; "attempts", how many there are after the first;
 * "work", the milliseconds that a message takes.
 */
final class Steered implements Consuming {
    private final String name;
    private final String topic;
    private final int work;
    private final DefaultMQPushConsumer consumer;

    Steered(String namesrv, String name, JSONObject options) throws Exception {
        this.name = name;
        topic = options.getString("topic");
        work = options.getIntValue("work");
        consumer = new DefaultMQPushConsumer(options.getString("group"));
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(name);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeMessageBatchMaxSize(1);
        // A rebalance gives subscriptions a new version, and the 5.x client leaves out the heartbeat that tells it while
        // another is under way; until the next one the broker, Apache's too, refuses pulls. By default that is half a minute.
        consumer.setHeartbeatBrokerInterval(1000);
        if (options.containsKey("attempts")) {
            consumer.setMaxReconsumeTimes(options.getIntValue("attempts"));
        }
        consumer.subscribe(topic, "*");
        if (options.getBooleanValue("orderly")) {
            long suspend = options.getLongValue("suspend");
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
                if (suspend > 0) {
                    context.setSuspendCurrentQueueTimeMillis(suspend);
                }
                return handle(messages.get(0), context.getMessageQueue()) ? ConsumeOrderlyStatus.SUCCESS
                    : ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
            });
        } else {
            int level = options.getIntValue("level");
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                context.setDelayLevelWhenNextConsume(level);
                return handle(messages.get(0), context.getMessageQueue()) ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS
                    : ConsumeConcurrentlyStatus.RECONSUME_LATER;
            });
        }
    }

    private boolean handle(MessageExt message, MessageQueue queue) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("event", "message");
        line.put("name", name);
        line.put("at", System.currentTimeMillis());
        line.putAll(Wire.received(message, queue.getBrokerName()));
        Wire.print(line);
        if (work > 0) {
            try {
                Thread.sleep(work);
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
    public Object ask(JSONObject command) {
        switch (command.getString("what")) {
            case "queues":
                return queues();
            case "locked":
                return locked();
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

    /** Its queues whose lock it holds. */
    private List<Object> locked() {
        List<Object> queues = new ArrayList<>();
        consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().forEach((queue, state) -> {
            if (queue.getTopic().equals(topic) && state.isLocked()) {
                queues.add(Wire.queue(queue));
            }
        });
        return queues;
    }

    @Override
    public void stop() {
        consumer.shutdown();
    }
}
