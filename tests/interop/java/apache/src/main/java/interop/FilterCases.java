package interop;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONArray;
import com.alibaba.fastjson.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.broker.filter.MessageEvaluationContext;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.Expression;

/**
 * Evaluates expressions with Apache's own filter: a line of standard input is {"expression":text,
 * "messages":[{name:value,...},...]}, the answer is one JSON line, {"refused":text} or {"answers":[...]} with true,
 * false, null or "error" for each message.
 */
public final class FilterCases {
    private FilterCases() {
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JSONObject question = JSON.parseObject(line);
            Map<String, Object> answer = new LinkedHashMap<>();
            try {
                Expression filter = FilterFactory.INSTANCE.get("SQL92").compile(question.getString("expression"));
                List<Object> answers = new ArrayList<>();
                JSONArray messages = question.getJSONArray("messages");
                for (int i = 0; i < messages.size(); i++) {
                    answers.add(evaluate(filter, messages.getJSONObject(i)));
                }
                answer.put("answers", answers);
            } catch (Throwable e) {
                answer.put("refused", String.valueOf(e.getMessage()));
            }
            out.println(JSON.toJSONString(answer, com.alibaba.fastjson.serializer.SerializerFeature.WriteMapNullValue));
        }
        Runtime.getRuntime().halt(0);
    }

    private static Object evaluate(Expression filter, JSONObject message) {
        Map<String, String> properties = new HashMap<>();
        for (String name : message.keySet()) {
            properties.put(name, message.getString(name));
        }
        try {
            return filter.evaluate(new MessageEvaluationContext(properties));
        } catch (Throwable e) {
            return "error";
        }
    }
}
