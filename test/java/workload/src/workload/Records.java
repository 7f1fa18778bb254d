// SPDX-License-Identifier: Apache-2.0
package workload;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * A file (or pipe) of lines. A line is written at once and whole, so that nothing is lost when the process
 * is killed a moment later. Any thread may append.
 */
final class Records implements AutoCloseable {
    private final OutputStream out;

    /** Appends to the file, or to nothing if {@code path} is null. */
    Records(String path) throws IOException {
        out = path == null ? null : new FileOutputStream(path, true);
    }

    void append(CharSequence lines) {
        if (out == null) {
            return;
        }
        byte[] bytes = lines.toString().getBytes(StandardCharsets.US_ASCII);
        synchronized (out) {
            try {
                out.write(bytes);
            } catch (IOException e) {
                // Without its records a run proves nothing.
                Program.fail(e);
            }
        }
    }

    @Override
    public void close() throws IOException {
        if (out != null) {
            out.close();
        }
    }
}
