// SPDX-License-Identifier: Apache-2.0
package interop;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Runs scenarios and prints one JSON line for each: {"event":"scenario", name, outcome, detail, code, remark, ms}. The
 * outcome is "works", "failed" or "lacking" (this client has no such thing).
 *
 * <p>{@code --last} names scenarios that come after the others: before them it prints {"event":"phase"} and waits for
 * a line on its input. At the end it prints {"event":"end"}.
 */
public final class Main {
    /** The classes that offer scenarios; those of later releases are there only if this client has what they need. */
    private static final String[] CATALOGS = {"Common", "Since46", "Since50", "Since51", "Since53", "Admin"};

    private static PrintStream out;

    private Main() {
    }

    public static void main(String[] argv) throws Exception {
        out = System.out;
        System.setOut(System.err); // what the client prints is no event
        Map<String, String> args = new LinkedHashMap<>();
        for (int i = 0; i + 1 < argv.length; i += 2) {
            args.put(argv[i], argv[i + 1]);
        }
        Signed.account(args.get("--access-key"), args.get("--secret-key"));
        Map<String, Scenario> catalog = catalog();
        String nameServer = args.get("--namesrv");
        String prefix = args.get("--prefix");
        int threads = Integer.parseInt(args.getOrDefault("--threads", "6"));
        runAll(catalog, names(args.get("--scenarios")), nameServer, prefix, threads);
        List<String> last = names(args.get("--last"));
        if (!last.isEmpty()) {
            print(new Json().put("event", "phase"));
            while (System.in.read() > '\n') {
                continue;
            }
            runAll(catalog, last, nameServer, prefix, 1);
        }
        print(new Json().put("event", "end"));
        System.exit(0);
    }

    private static Map<String, Scenario> catalog() throws Exception {
        Map<String, Scenario> all = new LinkedHashMap<>();
        for (String name : CATALOGS) {
            try {
                Object c = Class.forName("interop." + name).getDeclaredConstructor().newInstance();
                ((Catalog) c).addTo(all);
            } catch (ClassNotFoundException e) {
                continue;
            }
        }
        return all;
    }

    private static List<String> names(String list) {
        List<String> names = new ArrayList<>();
        for (String s : list == null ? new String[0] : list.split(",")) {
            if (!s.isEmpty()) {
                names.add(s);
            }
        }
        return names;
    }

    private static void runAll(Map<String, Scenario> catalog, List<String> names, String nameServer, String prefix,
        int threads) throws InterruptedException {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        for (String name : names) {
            pool.execute(() -> runOne(catalog.get(name), new Run(nameServer, prefix, name)));
        }
        pool.shutdown();
        pool.awaitTermination(1, TimeUnit.HOURS);
    }

    private static void runOne(Scenario scenario, Run run) {
        long begin = System.nanoTime();
        Json json = new Json().put("event", "scenario").put("name", run.name);
        if (scenario == null) {
            print(json.put("outcome", "lacking"));
            return;
        }
        try {
            scenario.run(run);
            json.put("outcome", "works");
        } catch (Throwable t) {
            System.err.println("scenario " + run.name);
            t.printStackTrace();
            json.put("outcome", "failed").put("detail", Failure.describe(t)).put("code", Failure.code(t))
                .put("remark", Failure.remark(t));
        }
        print(json.put("ms", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin)));
        run.closeAll();
    }

    private static void print(Json json) {
        byte[] line = (json + "\n").getBytes(StandardCharsets.UTF_8);
        synchronized (out) {
            out.write(line, 0, line.length);
            out.flush();
        }
    }
}
