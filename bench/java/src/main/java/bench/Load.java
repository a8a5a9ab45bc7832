package bench;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.SerializeType;

/**
 * Measures a RocketMQ with the official Java client.
 *
 * <p>Each line of standard input is a JSON object that names a measurement ("do": send, preload or consume), the name
 * server ("namesrv") and its sizes; the answer is one JSON line. The name server is part of each command, so that one
 * JVM, warmed up once, measures several servers in turn. Requests carry binary headers, as those of Apache's own
 * benchmark programs do. "begin" and "acknowledged" are a pair: a load that is under way while its server is killed, and
 * the first send that the server takes again.
 */
public final class Load {
    private static Sending begun;

    private Load() {
    }

    public static void main(String[] args) throws Exception {
        System.setProperty(RemotingCommand.SERIALIZE_TYPE_PROPERTY, SerializeType.ROCKETMQ.name());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, Object> answer = measure(JSON.parseObject(line));
            System.out.println(JSON.toJSONString(answer));
            System.out.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static Map<String, Object> measure(JSONObject command) throws Exception {
        switch (command.getString("do")) {
            case "send":
                return new Sending(command).measure();
            case "preload":
                return new Sending(command).fill(command.getIntValue("count"));
            case "begin":
                begun = new Sending(command);
                return begun.begin();
            case "acknowledged":
                return begun.untilAcknowledged(command.getIntValue("timeout"));
            case "consume":
                return new Consumption(command).measure();
            default:
                throw new IllegalArgumentException(command.getString("do"));
        }
    }
}
