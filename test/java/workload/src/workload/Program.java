// SPDX-License-Identifier: Apache-2.0
package workload;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The life of a workload program: told to go, told to stop, and always an orderly end. */
final class Program {
    /** How long a program may take to end after it was told to. */
    private static final long END_SECONDS = 22;

    private static final CountDownLatch GO = new CountDownLatch(1);
    private static final CountDownLatch STOP = new CountDownLatch(1);
    private static final CountDownLatch DONE = new CountDownLatch(1);

    private static volatile boolean resting;

    private Program() {}

    /** The work of a program. */
    interface Body {
        void run() throws Exception;
    }

    /** Runs {@code body} and ends the process: 0, or 1 after an exception, which is printed as an event. */
    static void main(Body body) {
        Json.ownStdout();
        // SIGTERM runs the hook, which holds the JVM back until the body has ended by itself.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stop();
            try {
                DONE.await(END_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        Thread stdin = new Thread(Program::readStdin, "stdin");
        stdin.setDaemon(true);
        stdin.start();
        int status = 0;
        try {
            body.run();
        } catch (Throwable e) {
            e.printStackTrace();
            Json.event("failed").put("error", e.toString()).print();
            status = 1;
        }
        DONE.countDown();
        System.exit(status);
    }

    /** Ends the process at once, because of an error outside the main thread. */
    static void fail(Throwable e) {
        e.printStackTrace();
        Json.event("failed").put("error", e.toString()).print();
        Runtime.getRuntime().halt(1);
    }

    static void stop() {
        STOP.countDown();
        GO.countDown();
    }

    static boolean stopping() {
        return STOP.getCount() == 0;
    }

    /** Sleeps, or returns true early when told to stop. */
    static boolean sleepOrStop(long millis) throws InterruptedException {
        return STOP.await(millis, TimeUnit.MILLISECONDS);
    }

    /** Whether to do nothing for now: from a line {@code rest} on stdin to the next {@code go}. */
    static boolean resting() {
        return resting;
    }

    /** Waits for the line {@code go} on stdin. Returns false if told to stop instead. */
    static boolean awaitGo() throws InterruptedException {
        GO.await();
        return !stopping();
    }

    private static void readStdin() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            for (String line; (line = in.readLine()) != null; ) {
                if (line.equals("go")) {
                    resting = false;
                    GO.countDown();
                } else if (line.equals("rest")) {
                    resting = true;
                } else if (line.equals("stop")) {
                    break;
                }
            }
        } catch (IOException e) {
            // Treated like the end of stdin: whoever steered this program is gone.
        }
        stop();
    }
}
