package interop;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Transactional producers of the official client, commanded like {@link Driver}: transactional, sendInTransactions, push, stop.
 *
 * <p>What becomes of a message stands in its own properties, so that any process can tell: `local` is the outcome of
 * the local transaction, `check` the answers to the checks, joined by commas, the last one for ever: COMMIT, ROLLBACK
 * or UNKNOW. Every check is printed as an event of the client `NAME.check`.
 */
public final class Transactions {
    private final String namesrv;
    private final Map<String, TransactionMQProducer> producers = new ConcurrentHashMap<>();
    private final Map<String, Consuming> consumers = new ConcurrentHashMap<>();

    private Transactions(String namesrv) {
        this.namesrv = namesrv;
    }

    public static void main(String[] args) throws Exception {
        Transactions program = new Transactions(args[0]);
        ExecutorService workers = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JSONObject command = JSON.parseObject(line);
            workers.execute(() -> program.answer(command));
        }
        Runtime.getRuntime().halt(0);
    }

    private void answer(JSONObject command) {
        Map<String, Object> reply = new LinkedHashMap<>();
        reply.put("id", command.get("id"));
        try {
            reply.put("ok", perform(command));
        } catch (Throwable e) {
            reply.put("error", e.toString());
        }
        Wire.print(reply);
    }

    private Object perform(JSONObject command) throws Exception {
        String name = command.getString("name");
        switch (command.getString("do")) {
            case "transactional":
                producers.put(name, start(name, command.getString("group")));
                return true;
            case "sendInTransactions":
                return send(producers.get(name), command);
            case "push":
                Consuming consuming = new PushConsuming(namesrv, name, command);
                consumers.put(name, consuming);
                return consuming.start();
            case "stop":
                if (producers.containsKey(name)) {
                    producers.remove(name).shutdown();
                } else {
                    consumers.remove(name).stop();
                }
                return true;
            default:
                throw new IllegalArgumentException("unknown verb " + command.getString("do"));
        }
    }

    private TransactionMQProducer start(String name, String group) throws Exception {
        TransactionMQProducer producer = new TransactionMQProducer(group);
        producer.setNamesrvAddr(namesrv);
        producer.setInstanceName(name);
        producer.setSendMsgTimeout(10_000);
        // The broker knows whom to ask from heartbeats; after a restart it waits for the next one.
        producer.setHeartbeatBrokerInterval(1_000);
        producer.setTransactionListener(new TransactionListener() {
            @Override
            public LocalTransactionState executeLocalTransaction(Message message, Object arg) {
                return state(message.getProperty("local"));
            }

            @Override
            public LocalTransactionState checkLocalTransaction(MessageExt message) {
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("event", "message");
                line.put("name", name + ".check");
                line.putAll(Wire.received(message, ""));
                Wire.print(line);
                String[] answers = message.getProperty("check").split(",");
                int times = Integer.parseInt(message.getProperty("TRANSACTION_CHECK_TIMES"));
                return state(answers[Math.min(times, answers.length) - 1]);
            }
        });
        producer.start();
        return producer;
    }

    private static LocalTransactionState state(String word) {
        return "UNKNOW".equals(word) ? LocalTransactionState.UNKNOW : LocalTransactionState.valueOf(word + "_MESSAGE");
    }

    private static List<Object> send(TransactionMQProducer producer, JSONObject command) throws Exception {
        List<Object> results = new ArrayList<>();
        for (Message message : Wire.messages(command.getString("topic"), command.getJSONArray("messages"))) {
            results.add(Wire.result(producer.sendMessageInTransaction(message, null)));
        }
        return results;
    }
}
