internal import Contract
public import Fleet

/// The family `corpus`: what a chatbot knows.
public enum Corpus {
    public static let family = JobFamily(.corpus) { [corpusIngest(), corpusRemove()] }
}
