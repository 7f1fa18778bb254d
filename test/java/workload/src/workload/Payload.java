// SPDX-License-Identifier: Apache-2.0
package workload;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bodies that carry their message's id and can be checked byte by byte on arrival. */
final class Payload {
    private Payload() {}

    /** {@code id}, a blank, then filler that depends on the id, {@code size} bytes or as many as the id needs. */
    static byte[] make(long id, int size) {
        byte[] head = (id + " ").getBytes(StandardCharsets.US_ASCII);
        byte[] body = Arrays.copyOf(head, Math.max(size, head.length));
        for (int i = head.length; i < body.length; i++) {
            body[i] = (byte) ('a' + (id + i) % 26);
        }
        return body;
    }

    /** The id of a body made by {@link #make}, or -1 if a byte is not as it was made. */
    static long read(byte[] body) {
        long id = 0;
        int i = 0;
        for (; i < body.length && body[i] >= '0' && body[i] <= '9' && i < 18; i++) {
            id = id * 10 + body[i] - '0';
        }
        return i > 0 && Arrays.equals(body, make(id, body.length)) ? id : -1;
    }
}
