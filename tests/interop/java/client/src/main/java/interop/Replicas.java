package interop;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * A producer and a push consumer of one topic, for a cluster whose members come and go: what happened goes to a file.
 *
 * <p>Arguments: name servers, file, topic, sending threads, milliseconds between two sends of a thread, milliseconds
 * between two questions for routes. It obeys lines of standard input: `stop` ends sending (it answers `sent` when
 * nothing is under way any more), `suspend` and `resume` are for the consumer; the end of input ends the program.
 *
 * <p>No message is sent twice, so its id, with which its body begins, tells one attempt. The file's lines, fields
 * parted by tabs, times in milliseconds since the epoch:
 *
 * <pre>
 * S id at                                an attempt to send
 * A id broker queue offset status at     the broker answered it with a place
 * X id at reason                         the attempt failed
 * C id broker queue offset at            the listener was handed it
 * </pre>
 */
public final class Replicas {
    private static final int TIMEOUT = 5_000;
    private static final int PAUSE_AFTER_FAILURE = 50;
    private static final int LONGEST_PADDING = 600;

    private final String namesrv;
    private final BufferedWriter out;
    private final String topic;
    private final int pause;
    private final int poll;
    private volatile boolean stopping;

    private Replicas(String[] args) throws IOException {
        namesrv = args[0];
        out = Files.newBufferedWriter(Paths.get(args[1]), StandardCharsets.UTF_8);
        topic = args[2];
        pause = Integer.parseInt(args[4]);
        poll = Integer.parseInt(args[5]);
    }

    public static void main(String[] args) throws Exception {
        Replicas replicas = new Replicas(args);
        DefaultMQPushConsumer consumer = replicas.consumer();
        consumer.start();
        DefaultMQProducer producer = replicas.configured(new DefaultMQProducer("replicas-producer"));
        producer.setSendMsgTimeout(TIMEOUT);
        producer.setRetryTimesWhenSendFailed(0);
        producer.start();
        List<Thread> senders = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(args[3]); i++) {
            String name = "t" + i;
            senders.add(new Thread(() -> replicas.send(producer, name)));
        }
        for (Thread sender : senders) {
            sender.start();
        }
        replicas.obey(consumer, senders);
        Runtime.getRuntime().halt(0);
    }

    private void obey(DefaultMQPushConsumer consumer, List<Thread> senders) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            if (line.equals("suspend")) {
                consumer.suspend();
            } else if (line.equals("resume")) {
                consumer.resume();
            } else {
                stopping = true;
                for (Thread sender : senders) {
                    sender.join();
                }
                System.out.println("sent");
                System.out.flush();
            }
        }
    }

    private void log(Object... fields) {
        StringBuilder line = new StringBuilder();
        for (Object field : fields) {
            line.append(line.length() == 0 ? "" : "\t").append(field);
        }
        synchronized (out) {
            try {
                out.write(line.append('\n').toString());
                out.flush();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private <C extends ClientConfig> C configured(C client) {
        client.setNamesrvAddr(namesrv);
        client.setInstanceName(client.getClass().getSimpleName());
        client.setHeartbeatBrokerInterval(1_000);
        client.setPollNameServerInterval(poll);
        client.setPersistConsumerOffsetInterval(1_000);
        return client;
    }

    private DefaultMQPushConsumer consumer() throws Exception {
        DefaultMQPushConsumer consumer = configured(new DefaultMQPushConsumer("replicas"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeThreadMin(4);
        consumer.setConsumeThreadMax(4);
        consumer.setPullTimeDelayMillsWhenException(500);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                String body = new String(message.getBody(), StandardCharsets.UTF_8);
                log("C", body.substring(0, body.indexOf(' ')), context.getMessageQueue().getBrokerName(),
                    message.getQueueId(), message.getQueueOffset(), System.currentTimeMillis());
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        return consumer;
    }

    private void send(DefaultMQProducer producer, String name) {
        char[] padding = new char[LONGEST_PADDING];
        java.util.Arrays.fill(padding, '.');
        try {
            for (int number = 0; !stopping; number++) {
                String id = name + "-" + number;
                String body = id + " " + new String(padding, 0, number * 37 % LONGEST_PADDING);
                boolean answered = attempt(producer, id, new Message(topic, body.getBytes(StandardCharsets.UTF_8)));
                Thread.sleep(answered ? pause : PAUSE_AFTER_FAILURE);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean attempt(DefaultMQProducer producer, String id, Message message) throws InterruptedException {
        log("S", id, System.currentTimeMillis());
        try {
            SendResult result = producer.send(message);
            log("A", id, result.getMessageQueue().getBrokerName(), result.getMessageQueue().getQueueId(),
                result.getQueueOffset(), result.getSendStatus(), System.currentTimeMillis());
            return true;
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            log("X", id, System.currentTimeMillis(), e.toString().replaceAll("\\s+", " "));
            return false;
        }
    }
}
