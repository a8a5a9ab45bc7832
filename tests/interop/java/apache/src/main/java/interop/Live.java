package interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;

/**
 * A push consumer of GID_live and a producer of PID_live that stay connected until standard input ends.
 *
 * <p>Arguments: name server, topic. Prints "ready" when the consumer holds queues of the topic, and after every line of
 * standard input that is obeyed: "forget" what was consumed so far, wait until so many messages were "consumed N", a
 * minute at most. Both tell 127.0.0.1 as their address, so that their client ids are the same on every machine.
 */
public final class Live {
    private static final String ADDRESS = "127.0.0.1";
    private static final Semaphore CONSUMED = new Semaphore(0);

    private Live() {
    }

    /**
     * A consumer that is told to move its offsets sleeps ten seconds before it does; an interrupt, given only while it
     * is in there, ends that. Nothing that is printed depends on it.
     */
    private static void hurryResets() {
        while (true) {
            for (Map.Entry<Thread, StackTraceElement[]> thread : Thread.getAllStackTraces().entrySet()) {
                for (StackTraceElement call : thread.getValue()) {
                    if (call.getClassName().endsWith(".MQClientInstance") && call.getMethodName().equals("resetOffset")) {
                        thread.getKey().interrupt();
                    }
                }
            }
            LockSupport.parkNanos(100_000_000L);
        }
    }

    private static DefaultMQPushConsumer consumer(String namesrv, String topic) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer("GID_live");
        consumer.setNamesrvAddr(namesrv);
        consumer.setClientIP(ADDRESS);
        consumer.setInstanceName("live-consumer");
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeThreadMin(2);
        consumer.setConsumeThreadMax(2);
        consumer.setPersistConsumerOffsetInterval(1000);
        consumer.setHeartbeatBrokerInterval(1000);
        consumer.subscribe(topic, "TagA || TagB");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            CONSUMED.release(messages.size());
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        return consumer;
    }

    private static boolean holdsQueues(DefaultMQPushConsumer consumer, String topic) {
        return consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet().stream()
            .anyMatch(queue -> queue.getTopic().equals(topic));
    }

    private static String obey(String[] words) throws InterruptedException {
        if (words[0].equals("forget")) {
            CONSUMED.drainPermits();
        } else if (!CONSUMED.tryAcquire(Integer.parseInt(words[1]), 1, TimeUnit.MINUTES)) {
            return "only " + CONSUMED.availablePermits() + " consumed";
        }
        return "ready";
    }

    public static void main(String[] args) throws Exception {
        Thread hurry = new Thread(Live::hurryResets, "hurry");
        hurry.setDaemon(true);
        hurry.start();
        DefaultMQPushConsumer consumer = consumer(args[0], args[1]);
        DefaultMQProducer producer = new DefaultMQProducer("PID_live");
        producer.setNamesrvAddr(args[0]);
        producer.setClientIP(ADDRESS);
        producer.setInstanceName("live-producer");
        producer.setHeartbeatBrokerInterval(1000);
        producer.setTopics(Collections.singletonList(args[1])); // so that it knows a broker to send heartbeats to
        producer.start();
        while (!holdsQueues(consumer, args[1])) {
            LockSupport.parkNanos(50_000_000L);
        }
        System.out.println("ready");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            System.out.println(obey(line.split(" ")));
        }
        consumer.shutdown();
        producer.shutdown();
        Runtime.getRuntime().halt(0);
    }
}
