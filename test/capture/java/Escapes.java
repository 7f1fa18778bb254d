// SPDX-License-Identifier: Apache-2.0

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * Prints, in the recorder's file format, an answer whose remark has every character up to U+017F
 * and a few beyond, as Java writes it.
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
        ByteBuffer frame = c.encode();
        frame.position(8);
        byte[] header = new byte[frame.remaining()];
        frame.get(header);
        StringBuilder out = new StringBuilder("# " + args[0] + "; RemotingCommand.encode()\nheader " + header.length);
        for (int i = 0; i < header.length; i++) {
            out.append(i % 32 == 0 ? "\n" : "").append(String.format("%02x", header[i]));
        }
        java.nio.file.Files.writeString(java.nio.file.Path.of(args[1]), out + "\nbody 0\n");
    }
}
