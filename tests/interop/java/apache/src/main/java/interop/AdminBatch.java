package interop;

import com.alibaba.fastjson.JSON;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Runs one mqadmin command after another in this JVM: a line of standard input is a JSON array of arguments,
 * the answer is one JSON line with what the command printed on each of its two streams.
 */
public final class AdminBatch {
    private AdminBatch() {
    }

    /** Commands keep state in themselves (a shut down producer, say): each run gets new ones. */
    private static final class Commands extends MQAdminStartup {
        static void forget() {
            SUB_COMMANDS.clear();
        }
    }

    /**
     * A closing client waits up to three seconds for its event thread to notice (its queue is polled so long); an
     * interrupt, given only while a command is in that wait, makes it look at once. Nothing that is printed depends on it.
     */
    private static void hurryClosingClients(Thread commands) {
        while (true) {
            for (StackTraceElement call : commands.getStackTrace()) {
                if (call.getClassName().endsWith(".NettyRemotingClient") && call.getMethodName().equals("shutdown")) {
                    interruptEventThreads();
                    break;
                }
            }
            LockSupport.parkNanos(50_000_000L);
        }
    }

    private static void interruptEventThreads() {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals("NettyEventExecutor")) {
                thread.interrupt();
            }
        }
    }

    public static void main(String[] args) throws Exception {
        PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        Thread commands = Thread.currentThread();
        Thread hurry = new Thread(() -> hurryClosingClients(commands), "hurry");
        hurry.setDaemon(true);
        hurry.start();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            List<String> words = JSON.parseArray(line, String.class);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            System.setOut(new PrintStream(out, true, "UTF-8"));
            System.setErr(new PrintStream(err, true, "UTF-8"));
            Commands.forget();
            System.clearProperty(MixAll.NAMESRV_ADDR_PROPERTY); // the name server of the command before
            MQAdminStartup.main0(words.toArray(new String[0]), null);
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("out", out.toString("UTF-8"));
            answer.put("err", err.toString("UTF-8"));
            answers.println(JSON.toJSONString(answer));
        }
        Runtime.getRuntime().halt(0);
    }
}
