// SPDX-License-Identifier: Apache-2.0
package interop;

/** One feature of RocketMQ, used as an application would. It returns if everything was as it must be. */
interface Scenario {
    void run(Run run) throws Exception;
}
