// SPDX-License-Identifier: Apache-2.0
package interop;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * mqadmin, run in this process to save its start, one command after another: what it prints is caught from
 * System.out and System.err. The addresses of the two brokers, as a user of mqadmin would type them, come as
 * -Dinterop.brokers=ADDRESS,ADDRESS.
 */
final class Admin implements Catalog {
    static final String[] BROKERS = System.getProperty("interop.brokers", "").split(",");

    private static final Pattern REFUSAL = Pattern.compile("CODE: (\\d+)\\s+DESC: ([^\\n]*)");

    @Override
    public void addTo(Map<String, Scenario> all) {
        if (BROKERS.length != Run.BROKERS) {
            return;
        }
        all.put("updateTopic", AdminTopics::update);
        all.put("deleteTopic", AdminTopics::delete);
        all.put("topicList", AdminTopics::list);
        all.put("topicRoute", AdminTopics::route);
        all.put("topicStatus", AdminTopics::status);
        all.put("clusterList", AdminBrokers::clusterList);
        all.put("brokerStatus", AdminBrokers::status);
        all.put("brokerConsumeStats", AdminBrokers::consumeStats);
        all.put("updateBrokerConfig", AdminBrokers::updateConfig);
        all.put("wipeWritePerm", AdminBrokers::wipeWritePerm);
        all.put("consumerProgress", AdminGroups::progress);
        all.put("consumerConnection", AdminGroups::consumers);
        all.put("producerConnection", AdminGroups::producers);
        all.put("consumerStatus", AdminGroups::consumerStatus);
        all.put("updateSubGroup", AdminGroups::update);
        all.put("resetOffsetByTime", AdminGroups::resetOffset);
        all.put("queryMsgByKey", AdminMessages::byKey);
        all.put("queryMsgByUniqueKey", AdminMessages::byUniqueKey);
        all.put("queryMsgById", AdminMessages::byOffsetId);
        all.put("sendMessage", AdminMessages::send);
        all.put("consumeMessage", AdminMessages::consume);
    }

    /** Commands keep what they used, closed, for a second time that a process of mqadmin never has. */
    private static final class Commands extends MQAdminStartup {
        static void forget() {
            SUB_COMMANDS.clear();
        }
    }

    /** Runs a command and returns what it printed. */
    static String mqadmin(Run run, String... args) throws InterruptedException {
        List<String> all = new ArrayList<>(Arrays.asList(args));
        all.addAll(Arrays.asList("-n", run.nameServer));
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream caught = new ByteArrayOutputStream();
        PrintStream both = new PrintStream(caught, true);
        System.setOut(both);
        System.setErr(both);
        try {
            Thread.sleep(2); // clients are named after the millisecond
            Commands.forget();
            MQAdminStartup.main0(all.toArray(new String[0]), null);
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        String text = new String(caught.toByteArray(), StandardCharsets.UTF_8);
        System.err.println("mqadmin " + String.join(" ", all) + "\n" + text);
        return text;
    }

    /** Fails, with the refusal if there is one, unless the text has a match for each pattern. */
    static void unlessFinds(String text, String... patterns) throws Failure {
        for (String p : patterns) {
            if (!Pattern.compile(p, Pattern.MULTILINE).matcher(text).find()) {
                throw failure(text, "no /" + p + "/ in what it printed");
            }
        }
    }

    static Failure failure(String text, String why) {
        Matcher m = REFUSAL.matcher(text);
        if (m.find()) {
            return new Failure(why + "; " + m.group(), Integer.parseInt(m.group(1)), m.group(2).trim());
        }
        String flat = text.replaceAll("\\s+", " ").trim();
        return new Failure(why + "; it printed: " + (flat.length() > 300 ? flat.substring(0, 300) + "…" : flat));
    }
}
