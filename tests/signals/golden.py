"""The bodies of SETs as they are written, one for each kind of fact. Subscribers read them: never edit one."""

BODIES: dict[str, str] = {
    "session.revoked.v1": (
        '{"iss":"https://id.example.org","jti":"cb1adac1-27f2-5f3c-ac96-51f5f074e9aa","txn":"0192f0c1-0000-7000-8000-00'
        '000000c0e1","sub_id":{"format":"complex","user":{"format":"iss_sub","iss":"https://id.example.org","sub":"0192'
        'f0c1-0000-7000-8000-00000000ada0"},"session":{"format":"opaque","id":"0192f0c1-0000-7000-8000-000000005e55"}},'
        '"events":{"https://schemas.openid.net/secevent/caep/event-type/session-revoked":{"event_timestamp":1795339800,'
        '"initiating_entity":"user"}},"minos":{"kind":"session","id":"0192f0c1-0000-7000-8000-000000005e55","until":179'
        "5340161}}"
    ),
    "user.suspended.v1": (
        '{"iss":"https://id.example.org","jti":"c394cbcc-739c-5967-8fed-e0c4dd470395","txn":"0192f0c1-0000-7000-8000-00'
        '000000c0e1","sub_id":{"format":"iss_sub","iss":"https://id.example.org","sub":"0192f0c1-0000-7000-8000-0000000'
        '0ada0"},"events":{"https://schemas.openid.net/secevent/risc/event-type/account-disabled":{"event_timestamp":17'
        '95339800,"reason":"hijacking"}},"minos":{"kind":"user","id":"0192f0c1-0000-7000-8000-00000000ada0","epoch":3,"'
        'until":1795340161}}'
    ),
    "client.tokens_revoked.v1": (
        '{"iss":"https://id.example.org","jti":"589d47f5-a2be-5b68-85bc-ec54710ccdf8","txn":"0192f0c1-0000-7000-8000-00'
        '000000c0e1","sub_id":{"format":"opaque","id":"client_reporter"},"events":{"urn:minos:event:client-revoked":{"e'
        'vent_timestamp":1795339800}},"minos":{"kind":"client","id":"client_reporter","epoch":3,"until":1803115861}}'
    ),
    "signing_key.revoked.v1": (
        '{"iss":"https://id.example.org","jti":"bbca20a4-3c3f-51de-b758-eebcca64cae3","txn":"0192f0c1-0000-7000-8000-00'
        '000000c0e1","sub_id":{"format":"opaque","id":"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},"events":{"urn:min'
        'os:event:key-revoked":{"event_timestamp":1795339800}},"minos":{"kind":"key","id":"NzbLsXh8uDCcd-6MNwXF4W_7noWX'
        'FZAfHkxZsRGC9Xs","until":1803115861}}'
    ),
    "token.revoked.v1": (
        '{"iss":"https://id.example.org","jti":"a457b01c-7674-51a8-9644-39550dafdb83","txn":"0192f0c1-0000-7000-8000-00'
        '000000c0e1","sub_id":{"format":"opaque","id":"0192f0c1-0000-7000-8000-00000000707e"},"events":{"urn:minos:even'
        't:token-revoked":{"event_timestamp":1795339800}},"minos":{"kind":"token","id":"0192f0c1-0000-7000-8000-0000000'
        '0707e","until":1803115861}}'
    ),
    "api_key.revoked.v1": (
        '{"iss":"https://id.example.org","jti":"9b84eec8-72e4-595a-b5f6-b5aaea8c9068","txn":"0192f0c1-0000-7000-8000-00'
        '000000c0e1","sub_id":{"format":"opaque","id":"0192f0c1-0000-7000-8000-00000000aca1"},"events":{"urn:minos:even'
        't:api-key-revoked":{"event_timestamp":1795339800}},"minos":{"kind":"api_key","id":"0192f0c1-0000-7000-8000-000'
        '00000aca1","until":1795339921}}'
    ),
    "user.role_granted.v1": (
        '{"iss":"https://id.example.org","jti":"fcfce71c-bdb2-5ed7-985a-1b1753c0b301","txn":"0192f0c1-0000-7000-8000-00'
        '000000c0e1","sub_id":{"format":"iss_sub","iss":"https://id.example.org","sub":"0192f0c1-0000-7000-8000-0000000'
        '0ada0"},"events":{"https://schemas.openid.net/secevent/caep/event-type/token-claims-change":{"event_timestamp"'
        ':1795339800,"claims":{"roles":["editor","user"]}}},"minos":{"kind":"roles","audience":"tasks","id":"0192f0c1-0'
        '000-7000-8000-00000000ada0","roles":["editor","user"],"version":2,"until":1795340161}}'
    ),
    "role.defined.v1": (
        '{"iss":"https://id.example.org","jti":"957f0c0a-0971-5f8c-b5df-ee5d1ac60ef3","txn":"0192f0c1-0000-7000-8000-00'
        '000000c0e1","sub_id":{"format":"opaque","id":"editor"},"events":{"urn:minos:event:role-map":{"event_timestamp"'
        ':1795339800}},"minos":{"kind":"role_map","audience":"tasks","id":"editor","permissions":["tasks.read"],"retire'
        'd":false,"version":1099511627783}}'
    ),
}
