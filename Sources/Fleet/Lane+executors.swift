internal import AMQP
internal import Contract
internal import Jobs
internal import Logging
internal import Postgres

extension Lane {
    /// Starts the executor that the lane waits for, if there is none, and waits until it is connected.
    func startMain(_ intake: Intake) throws(Interruption) {
        guard main == nil else { return }
        let executor = JobExecutor(plan, environment, metrics, isApart: false, wakeUp: wakeUp)
        main = executor
        inHand = []
        try wait(for: executor, intake)
    }

    /// Has a batch done, and returns when it is through or has gone apart.
    func take(_ batch: [Delivery], _ intake: Intake) throws(Interruption) {
        try startMain(intake)
        guard let main else { return }
        inHand = Set(batch.map(\.deliveryTag))
        kindInHand = Envelope.kind(of: batch[0])
        health.note(name, isAtWork: true)
        defer { health.note(name, isAtWork: false) }
        main.work(batch)
        try wait(for: main, intake)
    }

    /// Waits until the executor has nothing in hand, and publishes what it reports. Meanwhile the broker's connections are read, so that their
    /// heartbeats go on and the next batch is there in time. If it takes too long, it goes on apart and the lane has no main executor any more.
    private func wait(for executor: JobExecutor, _ intake: Intake) throws(Interruption) {
        while true {
            // Before the reports are looked at: what comes from now on wakes.
            wakeUp.clear()
            switch executor.nextReport() {
            case .idle: return
            case .finished(let jobs, let began):
                try publish(jobs, intake, began: began, executor)
                inHand.subtract(jobs.map(\.delivery.deliveryTag))
                executor.published()
            case .ended(let interruption):
                main = nil
                throw interruption
            case .dropped, .kept: break
            case nil:
                if control.isOverdue { throw .stopped }
                if executor.goApart(after: options.jobSeconds, environment.longJobs, hasRoom: long.count < LongJobs.mostPerLane) {
                    return goOn(without: executor, intake)
                }
                noteTurn(intake)
                try hearOfWhatIsApart(intake)
                try intake.pump()
                publisher.keepAlive()
                intake.wait(for: [wakeUp.descriptor], timeoutMilliseconds: 250)
            }
        }
    }

    private func goOn(without executor: JobExecutor, _ intake: Intake) {
        logger.notice(
            "a batch takes long and goes on apart", metadata: [LogKey.lane: "\(name)", LogKey.count: "\(inHand.count)"])
        metrics.wentApart(inHand.count, of: kindInHand)
        intake.hold(inHand)
        inHand = []
        long.append(executor)
        main = nil
    }

    // MARK: Apart

    var isNothingApart: Bool { long.isEmpty && slowKinds.waiting.isEmpty && !slowKinds.isBusy }

    /// Publishes what executors have to say that the lane does not wait for.
    func hearOfWhatIsApart(_ intake: Intake) throws(Interruption) {
        for executor in long {
            guard try hear(executor, intake) else { continue }
            executor.end()
            long.removeAll { $0 === executor }
        }
        guard let executor = slowKinds.executor else { return }
        executor.leaveGate(after: options.jobSeconds)
        if try hear(executor, intake) { slowKinds.isBusy = false }
        try startSlow()
    }

    /// Hears all reports there are.
    ///
    /// - Returns: whether the executor has nothing in hand any more.
    private func hear(_ executor: JobExecutor, _ intake: Intake) throws(Interruption) -> Bool {
        while let report = executor.nextReport() {
            switch report {
            case .idle: return true
            case .finished(let jobs, let began):
                try publish(jobs, intake, began: began, executor)
                executor.published()
            case .ended(let interruption): throw interruption
            case .dropped, .kept: break
            }
        }
        return false
    }

    /// Keeps a job of a kind that always takes long in hand until it is its turn, and goes on with others.
    func setAside(_ batch: [Delivery], _ intake: Intake) throws(Interruption) {
        guard slowKinds.waiting.count < SlowKinds.most else {
            let began = SystemClock.monotonicSeconds()
            let outcome = Outcome.deferred(seconds: 0, cause: "many of its kind are before it")
            return try publish(batch.map { FinishedJob($0, sender: nil, outcome) }, intake, began: began, nil)
        }
        intake.hold(batch.map(\.deliveryTag))
        slowKinds.waiting.append(contentsOf: batch)
        try startSlow()
    }

    private func startSlow() throws(Interruption) {
        guard !slowKinds.isBusy, let next = slowKinds.waiting.first else { return }
        slowKinds.isBusy = true
        guard let executor = slowKinds.executor else {
            // Its first report is that it is idle.
            slowKinds.executor = JobExecutor(plan, environment, metrics, isApart: true, wakeUp: wakeUp)
            return
        }
        slowKinds.waiting.removeFirst()
        executor.work([next])
    }

    // MARK: The end

    /// What was delivered over a connection that is lost comes again. The main executor stays, if it gets rid of it soon; what is apart may finish,
    /// but nobody hears of it.
    func dropWhatIsInHand() {
        // At the end of the time to drain, `endExecutors` has them take back what they have noted.
        guard !control.isOverdue else { return }
        for executor in long + [slowKinds.executor].compactMap(\.self) { executor.end() }
        long = []
        slowKinds = SlowKinds()
        guard let main else { return }
        main.drop()
        let end = SystemClock.monotonicSeconds() + options.jobSeconds
        while !control.isOverdue, SystemClock.monotonicSeconds() < end {
            switch main.nextReport() {
            case .dropped: return
            case .ended:
                self.main = nil
                return
            case .idle, .finished, .kept: continue
            case nil: control.sleep(seconds: 0.02)
            }
        }
        main.end()
        self.main = nil
    }

    /// Ends the threads. One that has nothing in hand is waited for, so that its connection is closed.
    func endExecutors() {
        let executors = long + [main, slowKinds.executor].compactMap(\.self)
        for executor in executors { executor.end() }
        let end = SystemClock.monotonicSeconds() + 1
        for executor in executors {
            while SystemClock.monotonicSeconds() < end {
                if case .ended? = executor.nextReport() { break }
                // So that it takes back what it has noted as begun: nothing died of it.
                executor.deadline.expire()
                control.sleep(seconds: 0.005)
            }
        }
    }
}
