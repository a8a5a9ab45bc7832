package interop;

import com.alibaba.fastjson.JSONObject;

/** One consumer of the official client. */
interface Consuming {
    /** Starts it; the answer holds its clientId. */
    Object start() throws Exception;

    /** A question or an order to the running consumer; the member "what" says which. */
    Object ask(JSONObject command) throws Exception;

    /** A clean shutdown. */
    void stop() throws Exception;
}
