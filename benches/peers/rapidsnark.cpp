// rapidsnark as an adapter for `outrigger bench prove`: README.md says how it is built and the protocol. It links to
// a build of rapidsnark that is the user's; nothing of rapidsnark (LGPL-3) is in this repository.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "prover.h"

namespace {

unsigned pool_threads = 1;

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_file(const std::string &path, const std::string &text) {
    std::ofstream file(path, std::ios::binary);
    file << text << '\n';
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

class Prover {
public:
    Prover(const std::string &key_path, const std::string &witness_path)
        : key_(read_file(key_path)), witness_(read_file(witness_path)) {
        check(groth16_prover_create(&prover_, key_.data(), key_.size(), error_, sizeof error_));
        check(groth16_public_size_for_zkey_buf(key_.data(), key_.size(), &public_size_, error_, sizeof error_));
        groth16_proof_size(&proof_size_);
    }
    Prover(const Prover &) = delete;
    Prover &operator=(const Prover &) = delete;
    ~Prover() { groth16_prover_destroy(prover_); }

    void prove() {
        std::vector<char> proof(proof_size_), signals(public_size_);
        unsigned long long proof_length = proof.size(), signals_length = signals.size();
        check(groth16_prover_prove(prover_, witness_.data(), witness_.size(), proof.data(), &proof_length,
                                   signals.data(), &signals_length, error_, sizeof error_));
        proof_.assign(proof.data(), proof_length);
        public_.assign(signals.data(), signals_length);
    }

    void write(const std::string &proof_path, const std::string &public_path) const {
        if (proof_.empty()) throw std::runtime_error("no proof was made yet");
        write_file(proof_path, proof_);
        write_file(public_path, public_);
    }

private:
    void check(int status) const {
        if (status != PROVER_OK) throw std::runtime_error(std::string("rapidsnark: ") + error_);
    }

    std::string key_, witness_, proof_, public_;
    void *prover_ = nullptr;
    unsigned long long proof_size_ = 0, public_size_ = 0;
    char error_[256] = "";
};

void serve(const char *key, const char *witness) {
    auto start = Clock::now();
    Prover prover(key, witness);
    std::printf("ready %.3f\n", milliseconds_since(start));
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string command, proof_path, public_path;
        words >> command >> proof_path >> public_path;
        if (command == "prove") {
            start = Clock::now();
            prover.prove();
            std::printf("%.3f\n", milliseconds_since(start));
        } else if (command == "verify" && !public_path.empty()) {
            prover.write(proof_path, public_path);
            std::puts("ok");
        } else if (!command.empty()) {
            throw std::runtime_error("unknown command " + line);
        }
        std::fflush(stdout);
    }
}

} // namespace

// rapidsnark sizes its only pool by this function and offers no other way to limit it, neither by an argument nor by
// the environment. The linker takes this definition before the one of the standard library.
unsigned std::thread::hardware_concurrency() noexcept { return pool_threads; }

int main(int count, char **arguments) {
    char *end = nullptr;
    long threads = count == 4 ? std::strtol(arguments[3], &end, 10) : 0;
    if (count != 4 || *end != 0 || threads < 1 || threads > 1024) {
        std::fprintf(stderr, "usage: prove-rapidsnark KEY.zkey WITNESS.wtns THREADS\n");
        return 2;
    }
    pool_threads = static_cast<unsigned>(threads);
    try {
        serve(arguments[1], arguments[2]);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
    return 0;
}
