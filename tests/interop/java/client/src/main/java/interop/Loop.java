package interop;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Commands in, answers out, as {@link Driver} tells; what a command does is a program's own. */
final class Loop {
    private Loop() {
    }

    /** One command; its answer, or what went wrong. */
    interface Performer {
        Object perform(JSONObject command) throws Exception;
    }

    /** Until the input ends, which ends the process. */
    static void serve(Performer performer) throws Exception {
        ExecutorService workers = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JSONObject command = JSON.parseObject(line);
            workers.execute(() -> {
                Map<String, Object> reply = new LinkedHashMap<>();
                reply.put("id", command.get("id"));
                try {
                    reply.put("ok", performer.perform(command));
                } catch (Throwable e) {
                    reply.put("error", e.toString());
                    reply.put("causes", Wire.causes(e));
                }
                Wire.print(reply);
            });
        }
        Runtime.getRuntime().halt(0);
    }

    /** Calls the setters that the member "set" names: {"namespaceV2":"ns","compressType":"LZ4"}; releases differ in what they have. */
    static <T> T configured(T client, JSONObject command) throws Exception {
        JSONObject values = command.getJSONObject("set");
        for (String name : values == null ? Collections.<String>emptySet() : values.keySet()) {
            set(client, "set" + Character.toUpperCase(name.charAt(0)) + name.substring(1), values.get(name));
        }
        return client;
    }

    private static void set(Object client, String setter, Object value) throws Exception {
        for (Method method : client.getClass().getMethods()) {
            if (method.getName().equals(setter) && method.getParameterCount() == 1) {
                Class<?> type = method.getParameterTypes()[0];
                method.invoke(client, type.isEnum() ? type.getField(value.toString()).get(null) : value);
                return;
            }
        }
        throw new NoSuchMethodException(setter);
    }
}
