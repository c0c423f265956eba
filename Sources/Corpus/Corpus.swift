internal import Contract
public import Jobs

/// The kinds `corpus.*`: what a chatbot knows.
public enum Corpus {
    public static func handlers() -> [any JobHandler] { [corpusIngest(), corpusRemove()] }
}
