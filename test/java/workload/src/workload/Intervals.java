// SPDX-License-Identifier: Apache-2.0
package workload;

import org.apache.rocketmq.client.ClientConfig;

/** {@code --interval MS}: how often a client asks for routes, sends heartbeats and saves its offsets; its own defaults else. */
final class Intervals {
    private Intervals() {}

    static void set(ClientConfig client, Args args) {
        int millis = (int) args.number("interval", 0);
        if (millis > 0) {
            client.setPollNameServerInterval(millis);
            client.setHeartbeatBrokerInterval(millis);
            client.setPersistConsumerOffsetInterval(millis);
        }
    }
}
