// Payloads, answers and alerts are the contract's: whoever imports the client has them, too.
@_exported public import Contract
