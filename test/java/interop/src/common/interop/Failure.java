// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.Collection;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;

/** What went wrong in a scenario, and the checks that find it. */
final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient int code;
    private final transient String remark;

    Failure(String message) {
        this(message, -1, null);
    }

    /** A refusal that was found in a text. */
    Failure(String message, int code, String remark) {
        super(message);
        this.code = code;
        this.remark = remark;
    }

    static void unless(boolean ok, String message) throws Failure {
        if (!ok) {
            throw new Failure(message);
        }
    }

    static void unlessEqual(Object want, Object got, String what) throws Failure {
        unless(Objects.equals(want, got), what + ": want " + want + ", got " + got);
    }

    /** Waits until a condition holds. */
    static void unlessWithin(long millis, BooleanSupplier condition, String what) throws Exception {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (!condition.getAsBoolean()) {
            unless(System.nanoTime() < end, what + ": not within " + millis + " ms");
            Thread.sleep(20);
        }
    }

    /** Compares what was sent with what came, as bags; the message says what is missing and what is too much. */
    static void unlessSame(Collection<String> want, Collection<String> got, String what) throws Failure {
        Map<String, Integer> count = new HashMap<>();
        want.forEach(s -> count.merge(s, 1, Integer::sum));
        got.forEach(s -> count.merge(s, -1, Integer::sum));
        int missing = 0;
        int extra = 0;
        String example = "";
        for (Map.Entry<String, Integer> e : count.entrySet()) {
            missing += Math.max(0, e.getValue());
            extra += Math.max(0, -e.getValue());
            if (e.getValue() != 0) {
                example = e.getKey();
            }
        }
        unless(missing == 0 && extra == 0, what + ": of " + want.size() + " messages " + missing + " missing, "
            + extra + " too many, such as " + (example.length() > 40 ? example.substring(0, 40) + "…" : example));
    }

    /** The code with which a request was refused; -1 if that was not the reason. */
    static int code(Throwable t) {
        int code = -1;
        for (Throwable c = t; c != null; c = c.getCause()) {
            if (c instanceof MQBrokerException) {
                return ((MQBrokerException) c).getResponseCode();
            }
            if (c instanceof Failure && ((Failure) c).code != -1) {
                return ((Failure) c).code;
            }
            if (c instanceof MQClientException && code == -1) {
                code = ((MQClientException) c).getResponseCode();
            }
        }
        return code;
    }

    /** The remark that came with that code. */
    static String remark(Throwable t) {
        String remark = null;
        for (Throwable c = t; c != null; c = c.getCause()) {
            if (c instanceof MQBrokerException) {
                return ((MQBrokerException) c).getErrorMessage();
            }
            if (c instanceof Failure && ((Failure) c).code != -1) {
                return ((Failure) c).remark;
            }
            if (c instanceof MQClientException && remark == null) {
                remark = ((MQClientException) c).getErrorMessage();
            }
        }
        return remark;
    }

    /** The whole chain in one line. */
    static String describe(Throwable t) {
        StringBuilder s = new StringBuilder();
        for (Throwable c = t; c != null; c = c.getCause()) {
            String text = String.valueOf(c.getMessage()).replaceAll("\\s+", " ").replaceAll("(For more|See http|BrokerAddr).*", "");
            s.append(s.length() == 0 ? "" : " ← ").append(c instanceof Failure ? "" : c.getClass().getSimpleName() + ": ").append(text);
        }
        return s.length() > 500 ? s.substring(0, 500) + "…" : s.toString();
    }
}
