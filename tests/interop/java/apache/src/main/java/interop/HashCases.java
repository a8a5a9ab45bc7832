package interop;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONArray;
import com.alibaba.fastjson.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.common.TopicFilterType;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.remoting.protocol.filter.FilterAPI;
import org.apache.rocketmq.remoting.protocol.heartbeat.SubscriptionData;
import org.apache.rocketmq.store.index.IndexFile;

/**
 * Tells which numbers Apache's broker knows texts by: a line of standard input is {"topic":text,"texts":[text,...]}, the
 * answer is one JSON line with a list of each kind: "tags", the codes of texts as tags; "keys", their hashes as keys of the
 * topic's messages in an index; "subscriptions", [tags, codes] of texts as tag expressions, or null for a refused one.
 */
public final class HashCases {
    private HashCases() {
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Path directory = Files.createTempDirectory("index");
        IndexFile index = new IndexFile(directory.resolve("0").toString(), 1, 1, 0, 0);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JSONObject question = JSON.parseObject(line);
            JSONArray texts = question.getJSONArray("texts");
            List<Object> tags = new ArrayList<>();
            List<Object> keys = new ArrayList<>();
            List<Object> subscriptions = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                tags.add(MessageExtBrokerInner.tagsString2tagsCode(TopicFilterType.SINGLE_TAG, texts.getString(i)));
                keys.add(index.indexKeyHashMethod(question.getString("topic") + "#" + texts.getString(i)));
                subscriptions.add(subscription(texts.getString(i)));
            }
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("tags", tags);
            answer.put("keys", keys);
            answer.put("subscriptions", subscriptions);
            out.println(JSON.toJSONString(answer));
        }
        Files.delete(directory.resolve("0"));
        Files.delete(directory);
        Runtime.getRuntime().halt(0);
    }

    private static Object subscription(String expression) {
        try {
            SubscriptionData data = FilterAPI.buildSubscriptionData("T", expression);
            List<Object> facts = new ArrayList<>();
            facts.add(data.getTagsSet());
            facts.add(data.getCodeSet());
            return facts;
        } catch (Exception e) {
            return null;
        }
    }
}
