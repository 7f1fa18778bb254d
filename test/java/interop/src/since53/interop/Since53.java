// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.Map;

/** What came with 5.3. */
final class Since53 implements Catalog {
    @Override
    public void addTo(Map<String, Scenario> all) {
        all.put("recall", Recalls::recall);
    }
}
