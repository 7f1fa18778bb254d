// SPDX-License-Identifier: Apache-2.0

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * Writes to a file, as Java encodes it, an answer whose remark has every character up to U+017F and a few above it.
 */
public class Escapes {
    public static void main(String[] args) throws Exception {
        StringBuilder all = new StringBuilder();
        for (char c = 0; c < 0x180; c++) {
            all.append(c);
        }
        all.append("\u2027\u2028\u2029\u202a\u4e2d\ud83d\ude00");
        RemotingCommand c = RemotingCommand.createResponseCommand(1, all.toString());
        c.setOpaque(7);
        ByteBuffer buffer = c.encode();
        byte[] frame = new byte[buffer.remaining()];
        buffer.get(frame);
        Files.write(Path.of(args[0]), frame);
    }
}
