// SPDX-License-Identifier: Apache-2.0
/**
 * Real RocketMQ clients as programs that a test can steer: arguments in, JSON lines out.
 *
 * <p>Each program prints one JSON object per line on stdout, the kind in {@code event}; nothing else is
 * written there. It ends when its work is done, on SIGTERM, or when its stdin closes, always by an orderly
 * shutdown of the RocketMQ client. {@link workload.Producer} and {@link workload.Consumer} say what they
 * take and print; the other classes are for reuse by further programs.
 */
package workload;
