package interop;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Runs producers and consumers of the official client on command.
 *
 * <p>Standard input: one JSON object a line, {"id":N,"do":verb,...}. Standard output: {"id":N,"ok":{...}} or
 * {"id":N,"error":text} for each, in any order, and {"event":...} lines between them. The name server address is
 * argument 0. Each named client is a client of its own (own instance name, own connections). End of input ends it.
 */
public final class Driver {
    private final String namesrv;
    private final Map<String, Producing> producers = new ConcurrentHashMap<>();
    private final Map<String, Consuming> consumers = new ConcurrentHashMap<>();

    private Driver(String namesrv) {
        this.namesrv = namesrv;
    }

    public static void main(String[] args) throws Exception {
        Driver driver = new Driver(args[0]);
        ExecutorService workers = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JSONObject command = JSON.parseObject(line);
            workers.execute(() -> driver.answer(command));
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
            reply.put("causes", Wire.causes(e));
        }
        Wire.print(reply);
    }

    private Object perform(JSONObject command) throws Exception {
        String name = command.getString("name");
        switch (command.getString("do")) {
            case "producer":
                Producing producing = new Producing(namesrv, name, command);
                producers.put(name, producing);
                return producing.facts();
            case "send":
                return producers.get(name).send(command);
            case "publishQueues":
                return producers.get(name).publishQueues(command.getString("topic"));
            case "view":
                return producers.get(name).view(command.getString("topic"), command.getString("msgId"));
            case "push":
                return begin(name, new PushConsuming(namesrv, name, command));
            case "steered":
                return begin(name, new Steered(namesrv, name, command));
            case "pop":
                return begin(name, new PopConsuming(namesrv, name, command));
            case "lite":
                return begin(name, new LiteConsuming(namesrv, name, command));
            case "pull":
                return begin(name, new PullConsuming(namesrv, name, command));
            case "filtering":
                return begin(name, new Filtering(namesrv, name, command));
            case "delaying":
                return begin(name, new Delaying(namesrv, name, command));
            case "ask":
                return consumers.get(name).ask(command);
            case "stop":
                if (producers.containsKey(name)) {
                    producers.remove(name).stop();
                } else {
                    consumers.remove(name).stop();
                }
                return true;
            default:
                throw new IllegalArgumentException("unknown verb " + command.getString("do"));
        }
    }

    private Object begin(String name, Consuming consuming) throws Exception {
        consumers.put(name, consuming);
        return consuming.start();
    }
}
