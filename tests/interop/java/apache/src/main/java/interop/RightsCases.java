package interop;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.rocketmq.acl.common.AclSigner;
import org.apache.rocketmq.auth.authentication.chain.DefaultAuthenticationHandler;
import org.apache.rocketmq.auth.authentication.context.DefaultAuthenticationContext;
import org.apache.rocketmq.auth.authentication.enums.UserStatus;
import org.apache.rocketmq.auth.authentication.enums.UserType;
import org.apache.rocketmq.auth.authentication.model.Subject;
import org.apache.rocketmq.auth.authentication.model.User;
import org.apache.rocketmq.auth.authentication.provider.AuthenticationMetadataProvider;
import org.apache.rocketmq.auth.authorization.chain.AclAuthorizationHandler;
import org.apache.rocketmq.auth.authorization.chain.UserAuthorizationHandler;
import org.apache.rocketmq.auth.authorization.context.DefaultAuthorizationContext;
import org.apache.rocketmq.auth.authorization.model.Acl;
import org.apache.rocketmq.auth.authorization.model.Resource;
import org.apache.rocketmq.auth.authorization.provider.AuthorizationMetadataProvider;
import org.apache.rocketmq.auth.config.AuthConfig;
import org.apache.rocketmq.broker.auth.converter.AclConverter;
import org.apache.rocketmq.common.action.Action;
import org.apache.rocketmq.common.chain.HandlerChain;
import org.apache.rocketmq.remoting.protocol.body.AclInfo;

/**
 * Decides about access as Apache's broker does: a line of standard input is {"user":{"username","userType",
 * "userStatus"} or null,"acl":AclInfo or null,"action":text,"resource":text,"ip":text}, the answer is one JSON line,
 * {"allowed":boolean,"why":text}.
 */
public final class RightsCases {
    private static User user;
    private static Acl acl;

    private RightsCases() {
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        AuthConfig config = new AuthConfig();
        config.setConfigName("cases");
        config.setAuthenticationMetadataProvider(Users.class.getName());
        config.setAuthorizationMetadataProvider(Rules.class.getName());
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JSONObject question = JSON.parseObject(line);
            Map<String, Object> answer = new LinkedHashMap<>();
            try {
                take(question);
                signIn(config);
                authorize(config, question);
                answer.put("allowed", true);
                answer.put("why", "");
            } catch (Throwable e) {
                answer.put("allowed", false);
                answer.put("why", String.valueOf(e.getMessage()));
            }
            out.println(JSON.toJSONString(answer));
        }
        Runtime.getRuntime().halt(0);
    }

    private static void take(JSONObject question) {
        JSONObject given = question.getJSONObject("user");
        user = null;
        if (given != null) {
            user = User.of(given.getString("username"), "secret", UserType.getByName(given.getString("userType")));
            user.setUserStatus(UserStatus.getByName(given.getString("userStatus")));
        }
        AclInfo info = question.getObject("acl", AclInfo.class);
        acl = info == null ? null : AclConverter.convertAcl(info);
    }

    private static void signIn(AuthConfig config) throws Exception {
        byte[] content = "content".getBytes(StandardCharsets.UTF_8);
        DefaultAuthenticationContext context = new DefaultAuthenticationContext();
        context.setUsername("somebody");
        context.setContent(content);
        context.setSignature(AclSigner.calSignature(content, "secret"));
        HandlerChain.<DefaultAuthenticationContext, CompletableFuture<Void>>create()
            .addNext(new DefaultAuthenticationHandler(config, null)).handle(context).join();
    }

    private static void authorize(AuthConfig config, JSONObject question) {
        DefaultAuthorizationContext context = DefaultAuthorizationContext.of(User.of("somebody"),
            Resource.of(question.getString("resource")), Action.getByName(question.getString("action")),
            question.getString("ip"));
        HandlerChain.<DefaultAuthorizationContext, CompletableFuture<Void>>create()
            .addNext(new UserAuthorizationHandler(config, null))
            .addNext(new AclAuthorizationHandler(config, null)).handle(context).join();
    }

    public static final class Users implements AuthenticationMetadataProvider {
        @Override
        public void initialize(AuthConfig config, Supplier<?> service) {
        }

        @Override
        public void shutdown() {
        }

        @Override
        public CompletableFuture<Void> createUser(User created) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletableFuture<Void> deleteUser(String username) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletableFuture<Void> updateUser(User updated) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletableFuture<User> getUser(String username) {
            return CompletableFuture.completedFuture(user);
        }

        @Override
        public CompletableFuture<List<User>> listUser(String filter) {
            throw new UnsupportedOperationException();
        }
    }

    public static final class Rules implements AuthorizationMetadataProvider {
        @Override
        public void initialize(AuthConfig config, Supplier<?> service) {
        }

        @Override
        public void shutdown() {
        }

        @Override
        public CompletableFuture<Void> createAcl(Acl created) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletableFuture<Void> deleteAcl(Subject subject) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletableFuture<Void> updateAcl(Acl updated) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletableFuture<Acl> getAcl(Subject subject) {
            return CompletableFuture.completedFuture(acl);
        }

        @Override
        public CompletableFuture<List<Acl>> listAcl(String subject, String resource) {
            throw new UnsupportedOperationException();
        }
    }
}
