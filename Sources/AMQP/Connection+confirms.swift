extension Connection {
    /// What was refused or returned among what has been received so far, since the last call. Never waits, unlike
    /// ``awaitConfirms(downTo:timeoutSeconds:)``: for an owner that receives all the time.
    public mutating func takeOutcome() -> ConfirmOutcome { ledger.takeOutcome() }

    /// Whether a publish is neither acknowledged nor refused yet.
    public func isUnconfirmed(_ sequence: UInt64) -> Bool { ledger.isOpen(sequence) }
}
